"""The visible label: what it covers, how long, in which pixel formats, and what the EU's and China's rules ask."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from pydantic import ValidationError

from stages.channels import channels
from stages.encoding.build_font import CHINESE
from stages.encoding.label import Labeller, labelled
from stages.encoding.label_settings import LEAST_HEIGHT_OF_THE_EU, LabelSettings
from stages.encoding.lettering import FONT, lettering
from stages.problems import Problem
from stages.video import NativeFrame, VideoFacts
from tests.conftest import REPOSITORY

FORMATS = [
    ("yuv420p", "tv"), ("yuv420p", "pc"), ("yuv422p10le", "tv"), ("yuv444p12le", "tv"), ("yuv411p", "tv"),
    ("gray", "pc"), ("gray10le", "pc"), ("gbrp", "pc"), ("gbrp16le", "pc"), ("rgb24", "pc"), ("bgra", "pc"),
    ("rgb48le", "pc"), ("yuva420p", "tv"), ("yuv440p", "tv"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


def about(pixel_format: str = "yuv420p", *, width: int = 320, height: int = 180, **more: Any) -> VideoFacts:
    given = {"time_base": "1/25", "rate": "25/1", "matrix": "bt709", "range": "tv"} | more
    return VideoFacts(width=width, height=height, pixel_format=pixel_format, **given)


def plain(facts: VideoFacts, level: float, number: int = 0) -> NativeFrame:
    """A frame of one grey, 0..1; transparent where the format can be."""
    picture = av.VideoFrame(facts.width, facts.height, facts.pixel_format)
    for plane in picture.planes:
        plane.update(bytes(plane.buffer_size))
    for channel in channels(picture, facts):
        channel.samples[:] = round(float(channel.weights.sum()) * level + channel.offset)
    picture.pts, picture.time_base = number, Fraction(facts.time_base)
    return NativeFrame(number, number, 1, picture, facts)


def drawn(facts: VideoFacts, level: float = 0.5, **settings: Any) -> tuple[Labeller, NDArray[np.uint8]]:
    """A label, and RGB of a frame with it."""
    label = LabelSettings(**settings).wanted
    assert label is not None
    labeller = Labeller(label, facts)
    return labeller, labeller.draw(plain(facts, level)).rgb()


def luminance(code: float) -> float:
    """Relative luminance of a grey of sRGB, as WCAG 2.2 has it."""
    share = code / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def test_there_is_no_label_unless_it_is_asked_for() -> None:
    assert LabelSettings().wanted is None


def test_the_eus_sign_stands_in_the_top_right_corner() -> None:
    labeller, rgb = drawn(about(), rules="eu")
    x0, y0, x1, y1 = labeller.box
    changed = (rgb != plain(about(), 0.5).rgb()).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert x0 <= columns[0]
    assert columns[-1] < x1
    assert x1 > 0.9 * 320
    assert y0 <= rows[0] < 0.1 * 180
    assert rows[-1] < y1 < 0.25 * 180


@pytest.mark.parametrize(("pixel_format", "range_"), FORMATS)
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_it_can_be_read_on_black_and_on_white_in_every_pixel_format(
    pixel_format: str, range_: str, level: float
) -> None:
    facts = about(pixel_format, range=range_)
    labeller, rgb = drawn(facts, level, rules="eu", height=0.1)
    x0, y0, x1, y1 = labeller.box
    inside = rgb[y0:y1, x0:x1].astype(float).mean(axis=2)
    word, plate = np.percentile(inside, 98), np.median(inside)
    assert (luminance(word) + 0.05) / (luminance(plate) + 0.05) > 4.5, "the contrast that WCAG 2.2 asks of text"
    outside = rgb.astype(float)
    outside[y0:y1, x0:x1] = 255 * level
    assert np.abs(outside - 255 * level).max() <= 2, "nothing else is touched"


@pytest.mark.parametrize("pixel_format", ["yuva420p", "bgra"])
def test_it_is_seen_where_the_picture_is_transparent(pixel_format: str) -> None:
    label = LabelSettings(rules="eu").wanted
    assert label is not None
    labeller = Labeller(label, about(pixel_format, range="pc"))
    made = labeller.draw(plain(about(pixel_format, range="pc"), 0.5)).picture.reformat(format="rgba").to_ndarray()
    x0, y0, x1, y1 = labeller.box
    assert np.median(made[y0:y1, x0:x1, 3]) > 150
    made[y0:y1, x0:x1, 3] = 0
    assert made[..., 3].max() == 0


@pytest.mark.parametrize(("width", "height", "aspect"), [(320, 180, "1/1"), (180, 320, "1/1"), (240, 180, "4/3")])
def test_chinas_letters_have_a_twentieth_of_the_shortest_side_as_it_is_seen(
    width: int, height: int, aspect: str
) -> None:
    facts = about("gray", width=width, height=height, range="pc", sample_aspect=aspect)
    labeller, rgb = drawn(facts, 0.0, rules="china")
    assert labeller.label.text == "AI合成"
    x0, y0, x1, y1 = labeller.box
    letters = rgb[y0:y1, x0:x1, 0] > 128
    first = letters[:, : letters.shape[1] // 3]  # the A, which is lower than the characters
    tall = np.flatnonzero(first.any(axis=1))
    assert tall[-1] - tall[0] + 1 >= 0.05 * 180


def test_hdr_white_is_that_of_the_picture_not_the_brightest_there_is() -> None:
    facts = about("yuv420p10le", transfer="smpte2084", matrix="bt2020nc")
    _, rgb = drawn(facts, 0.0, rules="eu", height=0.1)
    assert abs(rgb.max() / 255 - 0.87) < 0.01  # as a standard screen shows 203 cd/m2, see stages/hdr.py


def test_it_stays_for_its_seconds_from_the_first_frame_on_and_the_rest_is_untouched() -> None:
    facts = about("gray", range="pc")
    label = LabelSettings(text="AI", seconds=2.0).wanted
    assert label is not None
    late = [plain(facts, 0.5, 1000 + number) for number in range(60)]
    made = list(labelled(late, Labeller(label, facts)))
    has = [frame.digest() != before.digest() for frame, before in zip(made, late, strict=True)]
    assert has == [number < 50 for number in range(60)]
    assert [frame.pts for frame in made] == [frame.pts for frame in late]


def test_the_frame_that_was_given_stays_as_it_was() -> None:
    frame = plain(about(), 0.5)
    before = frame.digest()
    label = LabelSettings(rules="eu").wanted
    assert label is not None
    assert Labeller(label, about()).draw(frame).digest() != before
    assert frame.digest() == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rules": "china", "seconds": 1.5}, "at least 2 seconds"),
        ({"rules": "china", "height": 0.04}, "at least 5%"),
        ({"rules": "china", "text": "AI"}, "生成"),
        ({"rules": "china", "text": "合成"}, "人工智能"),
        ({"rules": "eu", "seconds": 3.0}, "first to last"),
        ({"rules": "eu", "height": 0.029}, "height is at least 0.03, 3% of the shortest side"),
        ({"rules": "eu", "text": "Modified"}, "the text needs AI, KI or IA as a word of its own"),
        ({"rules": "eu", "text": "SAID BY A MACHINE"}, "as a word of its own"),
        ({"rules": "eu", "text": "made with ai"}, "in capitals"),
        ({"text": "two\nlines"}, "one line"),
        ({"text": "AI", "seconds": 0.0}, "more than 0"),
    ],
)
def test_what_its_rules_do_not_allow_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        LabelSettings(**settings)


@pytest.mark.parametrize("text", ["AI", "Mit KI verändert", "KI-generiert", "Modifié par IA", "IA.", "AI/KI/IA"])
def test_the_eus_sign_may_stand_in_a_text_of_any_language(text: str) -> None:
    label = LabelSettings(rules="eu", text=text, height=0.03).wanted
    assert label is not None
    assert (label.text, label.height, label.seconds) == (text, 0.03, None)


def test_what_no_rules_bind_may_be_small_and_say_anything() -> None:
    label = LabelSettings(text="Modified", height=0.01, seconds=1.0).wanted
    assert label is not None
    assert (label.text, label.height) == ("Modified", 0.01)


def test_the_least_height_is_that_of_text_that_is_read_with_ease() -> None:
    """In minutes of arc: on a phone held crosswise, and on a screen watched from three times its height."""
    phone, screen = (math.degrees(LEAST_HEIGHT_OF_THE_EU / away) * 60 for away in (300 / 65, 3.0))
    assert 22 <= phone < 23
    assert 34 <= screen < 35


@pytest.mark.parametrize("text", ["由人工智能生成", "AI生成合成内容", "本视频含AI合成内容"])
def test_chinas_own_words_can_be_written(text: str) -> None:
    label = LabelSettings(rules="china", text=text).wanted
    assert label is not None
    assert lettering(label.text, 20.0).max() > 0.9


def test_a_letter_that_the_font_lacks_is_named_and_not_drawn_as_a_box() -> None:
    with pytest.raises(Problem, match=r"(?s)no 日.*encoding\.label\.font"):
        lettering("AI 日", 20.0)


def test_a_label_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Problem, match="does not fit"):
        drawn(about(width=64, height=64), rules="none", text="much too long for such a small picture", height=0.2)


def test_the_font_holds_what_it_was_cut_for() -> None:
    with TTFont(FONT) as font:
        known = font.getBestCmap()
    assert set(map(ord, CHINESE)) <= set(known)
    assert set(range(0x20, 0x7F)) <= set(known)
    assert set(map(ord, "ÄÖÜßéèçñåøāěΑΩЖя")) <= set(known)


def test_a_missing_font_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not there"):
        lettering("AI", 20.0, tmp_path / "none.otf")
    (tmp_path / "bad.otf").write_bytes(b"no font")
    with pytest.raises(Problem, match="no font"):
        lettering("AI", 20.0, tmp_path / "bad.otf")
    assert FONT.is_file()
