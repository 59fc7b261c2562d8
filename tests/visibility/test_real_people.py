"""On footage of real people, where it is at hand: bare faces are seen whole, hands are not; nothing is made of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pandas as pd
import pytest

from stages.alignment.settings import AlignmentSettings
from stages.alignment.stage import align
from stages.detection.settings import DetectionSettings
from stages.detection.stage import detect
from stages.video import decode
from tests.conftest import REPOSITORY
from tests.film import film

CLIPS = REPOSITORY.parent / "shared" / "clips"

pytestmark = pytest.mark.skipif(not CLIPS.is_dir(), reason="the clips are not here")


def aligned(tmp_path: Path, clip: str, first: int, last: int, step: int) -> pd.DataFrame:
    pictures = [frame.rgb() for frame in islice(decode(CLIPS / clip), first, last, step)]
    frames = film(tmp_path / f"{first}", pictures)
    found = detect(frames, DetectionSettings(device="cpu"), (), clip="real", identity="one")
    return align(frames, found.faces, AlignmentSettings(device="cpu"), clip="real").whole()


@pytest.mark.parametrize(
    ("clip", "first", "last", "step", "seen"),
    [
        ("asl_A.mp4", 0, 90, 18, 0.99),
        ("asl_B.mp4", 54, 138, 18, 0.96),
        ("asl_D.mp4", 0, 12, 4, 0.99),
        ("head-pose-face-detection-male.gif", 0, 25, 5, 0.985),
        ("head-pose-face-detection-female.gif", 0, 20, 5, 0.9),  # her hair hangs over a part of it
    ],
)
def test_a_bare_face_is_seen_whole(tmp_path: Path, clip: str, first: int, last: int, step: int, seen: float) -> None:
    table = aligned(tmp_path, clip, first, last, step)
    assert len(table) >= 2
    assert table["visible"].median() > seen


@pytest.mark.parametrize(
    ("clip", "first", "last", "step", "seen"), [("asl_B.mp4", 18, 42, 6, 0.93), ("asl_D.mp4", 18, 30, 4, 0.94)]
)
def test_a_hand_before_a_face_is_none_of_it(
    tmp_path: Path, clip: str, first: int, last: int, step: int, seen: float
) -> None:
    table = aligned(tmp_path, clip, first, last, step)
    assert len(table) >= 2
    assert table["visible"].median() < seen
