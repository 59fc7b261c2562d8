"""Reading marks from frames, without what they were before they were marked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from stages.turning import each_upright
from stages.video import NativeFrame, decode
from stages.watermark.code import CODED_BITS, IDENTIFIER_BITS, decoded, encoded
from stages.watermark.keys import PUBLIC_KEY
from stages.watermark.pattern import SIDE, Floats, Pattern
from stages.watermark.planes import brightness
from stages.watermark.raster import chips_of, evened, whitened
from stages.watermark.registration import Transform, candidates, refined

FALSE_ALARM: Final = 1e-9
"""Greatest chance, in one window, that frames without a mark would look as well marked as a mark must look."""

BLOCK: Final = Fraction(2)
"""Seconds that are added up before anything is looked for: times of marks are told as exactly as this."""

BLOCKS: Final = 5
"""Blocks in a window."""

_FIRST_LOOK: Final = 12
_TRIED: Final = 3
_WORTH_REFINING: Final = 6.0
_STANDS_OUT: Final = 4.0


@dataclass(frozen=True)
class Reading:
    """A mark that was found.

    Attributes:
        identifier: that it carries.
        start, end: seconds between which frames carry it, to :data:`BLOCK`.
        false_alarm: bound of the chance that frames without a mark would give this; of the surest window.
        score: standard deviations by which the word stands out in that window.
        transform: what part of the marked frame these frames show.
    """

    identifier: int
    start: float
    end: float
    false_alarm: float
    score: float
    transform: Transform

    @property
    def confidence(self) -> float:
        """1 - ``false_alarm``."""
        return 1.0 - self.false_alarm


@dataclass(frozen=True)
class Look:
    """What came out of looking into one window; ``identifier`` is None if there is no mark."""

    identifier: int | None
    false_alarm: float
    score: float
    transform: Transform


def read_file(path: Path, key: bytes = PUBLIC_KEY) -> list[Reading]:
    """The marks in a video file, as :func:`read` gives them.

    Raises:
        Problem: the file can not be read as video.
    """
    return read(each_upright(decode(path), path), key)


def read(frames: Iterable[NativeFrame], key: bytes = PUBLIC_KEY) -> list[Reading]:
    """The marks in frames of one size, in order of time; none if there are none. Memory does not grow with the film.

    Frames are added up to blocks and looked at in windows of :data:`BLOCKS`, so a film of which only a part is marked
    is read as well. If no window holds a mark, all frames together are looked at.

    Args:
        frames: upright, in order.
        key: with which they may be marked.
    """
    reader = _Reader(Pattern.of(key))
    for frame in frames:
        reader.add(evened(brightness(frame.picture)), frame.pts * Fraction(frame.facts.time_base))
    return reader.end()


def reads_back(frames: Iterable[NativeFrame], key: bytes, identifier: int) -> bool:
    """Whether frames that were neither cut nor moved carry an identifier; reads no more of them than it needs.

    Args:
        frames: upright, in order.
        key, identifier: that they were marked with.
    """
    pattern, raster = Pattern.of(key), np.zeros((SIDE, SIDE), np.float32)
    number, due = 0, _FIRST_LOOK
    for number, frame in enumerate(frames, 1):
        raster += evened(brightness(frame.picture))
        if number == due:
            if _decoded(whitened(raster), pattern, Transform(), 1).identifier == identifier:
                return True
            due *= 2
    return number > 0 and _decoded(whitened(raster), pattern, Transform(), 1).identifier == identifier


def look(raster: Floats, pattern: Pattern, known: Iterable[Transform] = (Transform(),)) -> Look:
    """Look for a mark in evened frames that were added up.

    Args:
        raster: (SIDE, SIDE).
        pattern: of the key.
        known: transforms to try before others are searched for.
    """
    white = whitened(raster)
    best = Look(None, 1.0, 0.0, Transform())
    tried = 0
    for transform in known:
        tried += 1
        best = max(best, _decoded(white, pattern, transform, tried), key=lambda each: each.score)
        if best.identifier is not None:
            return best
    for score, transform in candidates(raster, pattern, _TRIED):
        tried += 1
        if score >= _WORTH_REFINING:
            transform = refined(raster, pattern, transform)
        found = _decoded(white, pattern, transform, tried)
        if found.identifier is not None:
            return found
        best = max(best, found, key=lambda each: each.score)
    return best


def _decoded(white: Floats, pattern: Pattern, transform: Transform, tried: int) -> Look:
    """Read the word from a whitened raster under one transform, the ``tried``-th.

    The chance of a false alarm is bounded without supposing anything about pictures: the key's signs are independent
    of them, so what an unmarked picture gives to one word is a sum of values with random signs, which exceeds z
    standard deviations with a chance of at most exp(-z²/2) (Hoeffding 1963). There are 2^48 words and as many
    transforms as were tried. The checksum, which lets one in 65,536 pass, is not counted in.
    """
    chips = chips_of(transform.warped(white))
    soft = pattern.sums(chips) / np.sqrt(np.square(chips, dtype=np.float64).sum() / CODED_BITS + 1e-9)
    identifier, checked = decoded(soft)
    score = float(soft @ encoded(identifier) / np.sqrt(CODED_BITS))
    chance = float(tried * np.exp(min(0.0, IDENTIFIER_BITS * np.log(2) - score * abs(score) / 2)))
    held = checked and chance <= FALSE_ALARM
    return Look(identifier if held else None, min(1.0, chance), score, transform)


def stands_out(white: Floats, pattern: Pattern, word: Floats, transform: Transform) -> float:
    """Standard deviations by which a known word stands out in a whitened raster."""
    chips = chips_of(transform.warped(white))
    soft = pattern.sums(chips) / np.sqrt(np.square(chips, dtype=np.float64).sum() + 1e-9)
    return float(soft @ word)


@dataclass
class _Block:
    start: Fraction
    end: Fraction
    raster: Floats

    @cached_property
    def white(self) -> Floats:
        """Of a block to which nothing is added any more: it is looked into from every window that it is in."""
        return whitened(self.raster)


class _Reader:
    """Adds frames up and keeps what is found."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._window: deque[_Block] = deque(maxlen=BLOCKS)
        self._block: _Block | None = None
        self._all = np.zeros((SIDE, SIDE), np.float32)
        self._known = Transform()
        self._found: list[Reading] = []
        self._span = (Fraction(0), Fraction(0))

    def add(self, raster: Floats, time: Fraction) -> None:
        """One frame, and when it is shown."""
        if self._block is not None and not 0 <= time - self._block.start < BLOCK:
            self._close()
        if self._block is None:
            self._block = _Block(time, time, np.zeros((SIDE, SIDE), np.float32))
        self._block.raster += raster
        self._block.end = time

    def end(self) -> list[Reading]:
        """All that was found."""
        self._close()
        if not self._found and self._span[1] > self._span[0]:
            found = look(self._all, self._pattern)
            if found.identifier is not None:
                self._keep(found, *self._span)
        return self._found

    def _close(self) -> None:
        block, self._block = self._block, None
        if block is None:
            return
        self._span = (self._span[0] if self._all.any() else block.start, block.end)
        self._all += block.raster
        self._window.append(block)
        window = np.asarray(np.sum([each.raster for each in self._window], axis=0), np.float32)
        found = look(window, self._pattern, dict.fromkeys((self._known, Transform())))
        if found.identifier is None:  # a mark that has just begun may be hidden by what is before it
            found = look(block.raster, self._pattern, (self._known,))
        if found.identifier is None:
            return
        self._known = found.transform
        marked = [each for each in self._window if self._carries(each, found.identifier)]
        if marked:
            self._keep(found, marked[0].start, marked[-1].end)

    def _carries(self, block: _Block, identifier: int) -> bool:
        """Whether a block carries a mark that was found in its window: its own word, if it can be read, decides."""
        white = block.white
        own = _decoded(white, self._pattern, self._known, 1)
        if own.identifier is not None:
            return own.identifier == identifier
        return stands_out(white, self._pattern, encoded(identifier), self._known) > _STANDS_OUT

    def _keep(self, found: Look, start: Fraction, end: Fraction) -> None:
        """Join what was found to the same mark before it, or begin another."""
        assert found.identifier is not None
        reading = Reading(found.identifier, float(start), float(end), found.false_alarm, found.score, found.transform)
        for place, before in enumerate(self._found):
            if before.identifier == reading.identifier and reading.start <= before.end + float(BLOCK):
                surest = max(before, reading, key=lambda each: each.score)
                self._found[place] = replace(
                    surest, start=min(before.start, reading.start), end=max(before.end, reading.end)
                )
                return
        self._found.append(reading)
