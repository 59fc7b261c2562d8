"""Timecode (SMPTE ST 12-1) of a part of a clip."""

from __future__ import annotations

import re
from fractions import Fraction


def later(timecode: str, seconds: Fraction, rate: Fraction) -> str:
    """The timecode of the frame that is shown some seconds after the one that has this timecode.

    Args:
        timecode: ``hh:mm:ss:ff``; with ``;`` or ``.`` before the frames numbers are dropped, so that it keeps pace with
            the clock at 30000/1001 or 60000/1001 frames a second.
        seconds: from the one frame to the other.
        rate: frames a second.

    Raises:
        ValueError: it is no timecode, or less than half a frame a second.
    """
    found = re.fullmatch(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)", timecode)
    if found is None:
        raise ValueError(f"'{timecode}' is no timecode")
    hour, minute, second, frame = (int(found[group]) for group in (1, 2, 3, 5))
    whole = round(rate)
    if whole < 1:
        raise ValueError(f"no timecode counts {rate} frames a second")
    dropped = whole // 15 if found[4] != ":" and whole % 30 == 0 else 0  # in each minute but every tenth
    minutes = hour * 60 + minute
    number = (minutes * 60 + second) * whole + frame - dropped * (minutes - minutes // 10)
    number = (number + round(seconds * rate)) % (86400 * whole - dropped * 1296)
    tens, rest = divmod(number, 600 * whole - 9 * dropped)
    number += dropped * (9 * tens + max(0, (rest - dropped) // (60 * whole - dropped)))
    clock, frame = divmod(number, whole)
    return f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}{found[4]}{frame:02}"
