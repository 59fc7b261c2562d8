"""The part of a clip that is wanted: from ``start`` to ``end``, each ``every``-th frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from stages.settings import Clip
from stages.video import NativeFrame, ratio


@dataclass(frozen=True)
class Span:
    """A span of a file's own time.

    Attributes:
        first: seconds at which the first kept frame is shown in the file.
        end: seconds at which it ends, None for the file's end.
        earlier: seconds by which frames and sound are moved, so that the kept part starts when the whole clip did.
    """

    first: Fraction
    end: Fraction | None
    earlier: Fraction


class Trimmer:
    """Keeps a clip's wanted frames; afterwards ``span`` says where they lie in the file.

    ``start`` and ``end`` count from the first picture: a frame is kept if it is shown at ``start`` or later and before
    ``end``. Times are moved, so that a trimmed clip starts when the whole one did. With ``every`` a kept frame lasts
    until the next one.
    """

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self.span: Span | None = None
        self.seconds = Fraction(0)  # how long the clip is, as far as it was read
        self.ended = False  # whether the part's end was reached before the clip's
        self._first_frame = 0

    @property
    def wanted(self) -> bool:
        """Whether there is anything to trim."""
        return bool(self._clip.start) or self._clip.end is not None or self._clip.every > 1

    def facts(self) -> dict[str, Any]:
        """For ``facts.json``; empty if the whole clip was taken."""
        if self.span is None or not self.wanted:
            return {}
        end = self._clip.end
        return {
            "trim": {
                "start": str(self._clip.start),
                "end": None if end is None else str(end),
                "every": self._clip.every,
                "first_frame": self._first_frame,
                "moved_earlier": str(self.span.earlier),
            }
        }

    def __call__(self, frames: Iterator[NativeFrame]) -> Iterator[NativeFrame]:
        """The wanted frames, numbered from 0."""
        if not self.wanted:
            yield from frames
            return
        clip = self._clip
        kept: NativeFrame | None = None
        begins: int | None = None
        taken = number = until = moved = 0
        for frame in frames:
            base = Fraction(frame.facts.time_base)
            begins = frame.pts if begins is None else begins
            at = (frame.pts - begins) * base
            self.seconds = at + frame.duration * base
            if clip.end is not None and at >= clip.end:
                self.ended = True
                break
            if at < clip.start:
                continue
            if self.span is None:
                first = frame.pts * base
                self.span = Span(first, None if clip.end is None else clip.end + begins * base, at)
                self._first_frame, moved = frame.number, frame.pts - begins
            if taken % clip.every == 0:
                if kept is not None:
                    yield self._lasting(kept, frame.pts - moved)
                facts = frame.facts.model_copy(update={"rate": ratio(Fraction(frame.facts.rate) / clip.every)})
                kept = replace(frame, number=number, pts=frame.pts - moved, facts=facts)
                number += 1
            until = frame.pts - moved + frame.duration
            taken += 1
        if kept is not None:
            yield self._lasting(kept, until)

    def _lasting(self, frame: NativeFrame, until: int) -> NativeFrame:
        """The frame; if others after it were left out, it lasts as long as they."""
        return frame if self._clip.every == 1 else replace(frame, duration=until - frame.pts)
