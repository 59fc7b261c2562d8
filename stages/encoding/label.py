"""The visible label: words on a dark plate, blended into the frames in their own channels, before they are encoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from stages.channels import Channel, channels, opacity
from stages.encoding.label_settings import Label
from stages.encoding.lettering import FONT, lettering
from stages.problems import Problem
from stages.video import NativeFrame, VideoFacts, planes_of

Floats = NDArray[np.float32]

PLATE: Final = 0.65
"""How much the plate covers: white words keep a contrast of 5 to 1 on white, and WCAG 2.2 asks for 4.5 of text."""

PADDING: Final = 0.45
"""Around the words, in heights of a letter."""

MARGIN: Final = 0.035
"""From the picture's edge, as a share of its shortest side; the title-safe area of EBU R 95."""

WHITE: Final = {"smpte2084": 0.58, "arib-std-b67": 0.75}
"""Code value of white by transfer: in HDR that of ITU-R BT.2408 (203 cd/m2), not the brightest that there is."""


class Labeller:
    """Draws one label into the frames of one clip."""

    def __init__(self, label: Label, facts: VideoFacts) -> None:
        """Prepare the label for frames that stand upright.

        Raises:
            Problem: the text does not fit into the picture, or the font lacks a letter of it.
        """
        self.label = label
        self._white = WHITE.get(facts.transfer, 1.0)
        words = self._words(facts)
        height, width = words.shape
        margin = round(MARGIN * min(facts.width, facts.height))
        if width + 2 * margin > facts.width or height + 2 * margin > facts.height:
            raise Problem(
                f"the label '{label.text}' does not fit into a picture of {facts.width} x {facts.height}",
                where="encoding.label in params.yaml",
                mend="make the text shorter, or its height less",
            )
        left, top = _corner(label, facts, width, height, margin)
        # a box on whole samples of every chroma that there is: 4 across and 4 down
        x0, y0 = left // 4 * 4, top // 4 * 4
        x1, y1 = min(facts.width, -(-(left + width) // 4) * 4), min(facts.height, -(-(top + height) // 4) * 4)
        self.box = x0, y0, x1, y1
        around = ((top - y0, y1 - top - height), (left - x0, x1 - left - width))
        self._text: Floats = np.pad(words, around)
        self._plate: Floats = np.pad(np.full(words.shape, PLATE, np.float32), around)
        self._ready: dict[int, _Blend] = {}

    def _words(self, facts: VideoFacts) -> Floats:
        """The words with room around them, squeezed or stretched as the clip's pixels are."""
        size = self.label.height * min(facts.width * float(Fraction(facts.sample_aspect)), facts.height)
        words = lettering(self.label.text, size, self.label.font or FONT)
        padded = np.pad(words, round(PADDING * size))
        across = max(1, round(padded.shape[1] / Fraction(facts.sample_aspect)))
        if across == padded.shape[1]:
            return padded
        return np.asarray(cv2.resize(padded, (across, padded.shape[0]), interpolation=cv2.INTER_AREA), dtype=np.float32)

    def draw(self, frame: NativeFrame) -> NativeFrame:
        """The frame with the label; the one that was given stays as it was."""
        picture = _copy(frame.picture)
        made = channels(picture, frame.facts)
        for number, channel in enumerate(made):
            if number not in self._ready:
                self._ready[number] = self._blend(channel)
            self._write(channel, self._ready[number])
        alpha = opacity(picture)
        if alpha is not None:  # the label is there where the picture itself is not
            part = alpha.part(self.box)
            part[:] = np.maximum(part, np.rint(alpha.largest * self._coverage).astype(part.dtype))
        return replace(frame, picture=picture)

    @property
    def _coverage(self) -> Floats:
        return np.asarray(1.0 - (1.0 - self._plate) * (1.0 - self._text), dtype=np.float32)

    def _blend(self, channel: Channel) -> _Blend:
        """What becomes of a channel's samples: the same in every frame, so reckoned once."""
        white = np.float32(self._white * float(channel.weights.sum()))  # black, the plate's own colour, adds nothing
        added = self._text * white + self._coverage * np.float32(channel.offset)
        return _Blend(channel.reduced(1.0 - self._coverage), channel.reduced(added))

    def _write(self, channel: Channel, blend: _Blend) -> None:
        values = channel.part(self.box).astype(np.float32) * blend.kept + blend.added
        channel.write(self.box, values, blend.kept < 1.0)


@dataclass(frozen=True)
class _Blend:
    """A sample becomes ``kept`` times itself plus ``added``; (h, w) float32 each."""

    kept: Floats
    added: Floats


def labelled(frames: Iterable[NativeFrame], labeller: Labeller) -> Iterator[NativeFrame]:
    """The frames with the label for as long as it is to stay."""
    start = None
    for frame in frames:
        at = frame.pts * Fraction(frame.facts.time_base)
        start = at if start is None else start
        seconds = labeller.label.seconds
        yield labeller.draw(frame) if seconds is None or at - start < seconds else frame


def _corner(label: Label, facts: VideoFacts, width: int, height: int, margin: int) -> tuple[int, int]:
    """Left and top of the label."""
    down, _, across = label.place.partition("-")
    lefts = {"left": margin, "right": facts.width - margin - width}
    tops = {"top": margin, "bottom": facts.height - margin - height}
    return lefts.get(across, (facts.width - width) // 2), tops.get(down, (facts.height - height) // 2)


def _copy(picture: av.VideoFrame) -> av.VideoFrame:
    """Another picture with the same samples and times."""
    made = av.VideoFrame(picture.width, picture.height, picture.format.name)
    for there, here in zip(planes_of(picture), planes_of(made), strict=True):
        here[:] = there
    made.pts, made.time_base, made.duration = picture.pts, picture.time_base, picture.duration
    return made
