"""High dynamic range as a standard screen shows it, and back."""

from __future__ import annotations

import av
import numpy as np
import pytest

from stages.compositing.placing import Layer, put
from stages.compositing.settings import BlendSettings
from stages.hdr import HLG, PQ, coded, shown
from stages.video import NativeFrame, VideoFacts
from tests.film import collins, moved, placed

WHITE_PAPER = 0.87
"""Code value of 203 cd/m2 here: 1 without the bend of highlights."""


def as_codes(rgb: np.ndarray) -> np.ndarray:
    return np.rint(65535.0 * rgb).astype(np.uint16)


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("primaries", ["bt2020", "smpte432", "bt709"])
def test_the_way_there_and_back_keeps_the_colours_of_a_standard_screen(transfer: str, primaries: str) -> None:
    """But for channels that are next to nothing beside the others, and lights brighter than HLG has."""
    colours = np.random.default_rng(0).integers(25, 226, (64, 64, 3), np.uint8)
    colours[0] = np.arange(0, 256, 4)[:, None]  # greys: all
    back = shown(as_codes(coded(colours.astype(np.float32) / 255.0, transfer, primaries)), transfer, primaries)
    assert np.abs(back.astype(int) - colours).max() <= 1


@pytest.mark.parametrize(("transfer", "code"), [(PQ, 0.5807), (HLG, 0.75)])
def test_white_paper_is_as_bright_in_both(transfer: str, code: float) -> None:
    """BT.2408: 203 cd/m2 is at 58 % of PQ and at 75 % of HLG."""
    grey = shown(as_codes(np.full((1, 1, 3), code)), transfer, "bt2020")
    assert grey[0, 0].tolist() == pytest.approx([255 * WHITE_PAPER] * 3, abs=1.5)
    ends = shown(as_codes(np.array([[[0.0] * 3, [1.0] * 3]])), transfer, "bt2020")
    assert ends[0].tolist() == [[0] * 3, [255] * 3]


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_brighter_is_never_shown_darker(transfer: str) -> None:
    ramp = np.repeat(np.linspace(0, 65535, 4096).astype(np.uint16)[None, :, None], 3, axis=2)
    assert (np.diff(shown(ramp, transfer, "bt2020")[0, :, 1].astype(int)) >= 0).all()


def test_pq_is_that_of_the_standard() -> None:
    """BT.2100-2, table 4: 100 cd/m2 is at 0.508, 1,000 at 0.7518."""
    assert float(coded(np.ones(3, np.float32), PQ, "bt709")[0]) == pytest.approx(0.7518, abs=1e-4)
    of_100 = (100.0 / 203.0) ** (1 / 2.4)
    bent = 0.7 + (of_100 - 0.7) / (1 + (of_100 - 0.7) / 0.395) if of_100 > 0.7 else of_100
    assert float(coded(np.full(3, bent, np.float32), PQ, "bt709")[0]) == pytest.approx(0.508, abs=1e-3)


def frame(rgb: np.ndarray, transfer: str) -> NativeFrame:
    """A frame of 10 bits that shows a picture."""
    height, width = rgb.shape[:2]
    facts = VideoFacts(
        width=width,
        height=height,
        pixel_format="yuv420p10le",
        time_base="1/25",
        rate="25/1",
        primaries="bt2020",
        transfer=transfer,
        matrix="bt2020nc",
        range="tv",
    )
    codes = as_codes(coded(rgb.astype(np.float32) / 255.0, transfer, "bt2020"))
    picture = av.VideoFrame.from_ndarray(codes, format="rgb48le").reformat(
        format=facts.pixel_format, dst_colorspace=facts.matrix_number, src_color_range=2, dst_color_range=1
    )
    return NativeFrame(0, 0, 1, picture, facts)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_frame_is_seen_as_a_standard_screen_shows_it(transfer: str) -> None:
    picture = placed((collins(), moved(160, 120)))
    seen = frame(picture, transfer).rgb()
    assert np.abs(seen.astype(int) - picture).mean() < 2.5  # chroma of half the size, in other values
    transform = np.array([[1 / 120, 0, -100 / 120], [0, 1 / 120, -60 / 120]])
    crop = frame(picture, transfer).crop(transform, 120)
    assert np.abs(crop.astype(int) - seen[60:180, 100:220]).mean() < 0.5


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_face_that_is_put_where_it_was_changes_next_to_nothing(transfer: str) -> None:
    """What compositing is given is as a screen shows it; what it writes is the clip's code."""
    there = frame(placed((collins(), moved(160, 120))), transfer)
    before, codes = there.rgb(), [plane.astype(int) for plane in there.planes()]
    transform = np.array([[1 / 120, 0, -100 / 120], [0, 1 / 120, -60 / 120]])
    mask = np.zeros((128, 128), np.float32)
    mask[16:-16, 16:-16] = 1.0
    layer = Layer(before[60:180, 100:220].astype(np.float32) / 255.0, mask, transform)
    assert put(there.picture, layer, there.facts, BlendSettings(method="alpha"))
    luma = there.planes()[0].astype(int) - codes[0]
    assert luma[90:150, 130:190].any()
    assert np.abs(luma).mean() < 1.0
    assert np.abs(there.rgb().astype(int) - before).mean() < 1.0


def test_a_file_that_can_not_say_its_light_is_seen_by_the_clip_s() -> None:
    """As a delivered DPX is, whose header has no word for PQ."""
    given = frame(placed((collins(), moved(160, 120))), PQ)
    untold = given.facts.model_copy(update={"transfer": "unknown", "primaries": "unknown"})
    read = NativeFrame(0, 0, 1, given.picture, untold)
    assert np.abs(read.rgb().astype(int) - given.rgb()).mean() > 10
    np.testing.assert_array_equal(read.lit_as(given.facts).rgb(), given.rgb())
