"""VMAF by the ffmpeg program: the right answer itself, worse pictures, and what lies outside of the mask."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from stages.evaluation import vmaf
from stages.problems import Problem

BOX = (10, 20, 170, 180)
MASK = np.zeros((200, 200), bool)
MASK[40:160, 30:150] = True


@pytest.fixture(scope="module")
def scores() -> dict[str, list[float]]:
    """Of a portrait that moves (Eileen Collins, NASA, public domain) in several versions."""
    if vmaf.program() is None:
        pytest.skip("no ffmpeg program here has libvmaf")
    whole = skimage.data.astronaut()
    blurred = cv2.GaussianBlur(whole, (0, 0), 2.0)
    versions = ["-same", "-blurred", "-spoilt-outside"]
    with vmaf.Reel.begun(BOX, versions) as reel:
        for number in range(4):
            cut = (slice(20, 220), slice(120 + number, 320 + number))
            outside: NDArray[np.uint8] = np.where(MASK[..., None], whole[cut], 0).astype(np.uint8)
            pictures = {"-same": whole[cut], "-blurred": blurred[cut], "-spoilt-outside": outside}
            reel.add(number, whole[cut], pictures, MASK)
        found = {name: reel.scores(name, 1) for name in versions}
    assert not reel.folder.exists()
    return found


def test_the_right_answer_scores_high_and_a_blurred_one_lower(scores: dict[str, list[float]]) -> None:
    assert len(scores["-same"]) == 4
    assert min(scores["-same"]) > 90
    assert max(scores["-blurred"]) < min(scores["-same"]) - 20


def test_what_lies_outside_of_the_mask_does_not_count(scores: dict[str, list[float]]) -> None:
    assert scores["-spoilt-outside"] == scores["-same"]


def test_faces_are_brought_to_a_size_that_is_bounded_both_ways(tmp_path: object) -> None:
    for box, size in (((0, 0, 2000, 1000), (576, 288)), ((0, 0, 40, 60), (64, 96)), ((0, 0, 301, 300), (300, 300))):
        with vmaf.Reel.begun(box, []) as reel:
            assert (reel.width, reel.height) == size


def test_a_program_that_fails_is_told() -> None:
    if vmaf.program() is None:
        pytest.skip("no ffmpeg program here has libvmaf")
    with pytest.raises(Problem, match="VMAF could not be computed"):
        vmaf.run(["-v", "error", "-i", "nothing.yuv", "-f", "null", "-"])
