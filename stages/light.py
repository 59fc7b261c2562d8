"""Static HDR metadata: the screen that footage was graded on (SMPTE ST 2086) and how bright it gets (CTA-861.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Self

import av

from stages.video import ratio

_POINTS: Final = ("red", "green", "blue", "white")
_NEAR: Final = Fraction(1, 2**14)
"""AV1 keeps chromaticities in steps of 2^-16, the greatest luminance in 2^-8 and the least in 2^-14; H.264 and H.265
in 1/50000 and 1/10000."""


@dataclass(frozen=True)
class Light:
    """What a clip says of its light.

    Attributes:
        display: of the screen that it was graded on, x and y (CIE 1931) of red, green, blue and white, then the least
            and the greatest luminance in cd/m2: ten numbers; empty if not said.
        content: greatest light of any pixel and greatest mean of any frame, cd/m2; empty if not said.
    """

    display: tuple[Fraction, ...] = ()
    content: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.display or self.content)

    @classmethod
    def of(cls, picture: av.VideoFrame) -> Self:
        """What lies beside a decoded picture; of a screen that is told in part only, nothing.

        Raises:
            ValueError: PyAV does not know a kind of what lies there, and then tells of nothing.
        """
        beside: Any = picture.side_data
        display, content = beside.get("MASTERING_DISPLAY_METADATA"), beside.get("CONTENT_LIGHT_LEVEL")
        numbers: tuple[Fraction, ...] = ()
        if display is not None:
            *pairs, has_points, has_luminance = struct.unpack("=22i", bytes(display)[:88])
            if has_points and has_luminance and all(pairs[1::2]):
                numbers = tuple(map(Fraction, pairs[::2], pairs[1::2]))
        light = struct.unpack("=2I", bytes(content)[:8]) if content is not None else ()
        return cls(numbers, light if any(light) else ())

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Self:
        """What :meth:`facts` wrote; other keys are passed over."""
        display, content = facts.get("mastering_display"), facts.get("content_light")
        numbers = [each for name in (*_POINTS, "luminance") for each in display[name]] if display else []
        return cls(
            tuple(Fraction(each) for each in numbers),
            (int(content["greatest"]), int(content["mean"])) if content else (),
        )

    def facts(self) -> dict[str, Any]:
        """For ``facts.json``; empty if nothing is said."""
        told: dict[str, Any] = {}
        if self.display:
            pairs = zip(self.display[::2], self.display[1::2], strict=True)
            names = (*_POINTS, "luminance")
            told["mastering_display"] = {name: [ratio(a), ratio(b)] for name, (a, b) in zip(names, pairs, strict=True)}
        if self.content:
            told["content_light"] = {"greatest": self.content[0], "mean": self.content[1]}
        return told

    def display_words(self, point: int, luminance: int) -> str:
        """The screen as encoders take it, ``G(x,y)B(x,y)R(x,y)WP(x,y)L(greatest,least)``.

        Args:
            point, luminance: how many units make 1; whole numbers of them are written. 0 writes decimals.
        """
        rx, ry, gx, gy, bx, by, wx, wy, least, greatest = self.display

        def pair(first: Fraction, second: Fraction, units: int) -> str:
            return ",".join(str(round(each * units)) if units else f"{float(each):.7g}" for each in (first, second))

        g, b, r, w = pair(gx, gy, point), pair(bx, by, point), pair(rx, ry, point), pair(wx, wy, point)
        return f"G({g})B({b})R({r})WP({w})L({pair(greatest, least, luminance)})"

    def is_near(self, other: Light) -> bool:
        """Whether both say the same, but for the steps in which codecs keep it."""
        if self.content != other.content or len(self.display) != len(other.display):
            return False
        near = [_NEAR] * 9 + [Fraction(1, 2**8)]
        return all(
            abs(a - b) <= step
            for a, b, step in zip(self.display, other.display, near[: len(self.display)], strict=True)
        )
