"""The timecode of a part of a clip is that of its first frame."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stages.extraction.timecode import later

NTSC = Fraction(30000, 1001)


def test_a_film_of_hours_in_seconds_has_none() -> None:
    with pytest.raises(ValueError, match="no timecode counts 2/5 frames a second"):
        later("01:00:00:00", Fraction(2), Fraction(2, 5))


@pytest.mark.parametrize(
    ("timecode", "frames", "rate", "wanted"),
    [
        ("01:02:03:04", 0, Fraction(25), "01:02:03:04"),
        ("01:02:03:04", 25, Fraction(25), "01:02:04:04"),
        ("00:59:59:23", 1, Fraction(24000, 1001), "01:00:00:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("00:00:59:29", 1, NTSC, "00:01:00:00"),
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:01:59;29", 1, NTSC, "00:02:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:59;59", 1, 2 * NTSC, "00:01:00;04"),
        ("23:59:59;29", 1, NTSC, "00:00:00;00"),
        ("00:00:00;00", 107892, NTSC, "01:00:00;00"),
    ],
)
def test_it_is_that_many_frames_later(timecode: str, frames: int, rate: Fraction, wanted: str) -> None:
    assert later(timecode, frames / rate, rate) == wanted


def test_no_number_is_given_twice() -> None:
    codes = [later("00:00:00;00", frames / NTSC, NTSC) for frames in range(20000)]
    assert codes == sorted(set(codes))
    assert "00:01:00;00" not in codes


def test_other_words_are_refused() -> None:
    with pytest.raises(ValueError, match="no timecode"):
        later("soon", Fraction(1), Fraction(25))
