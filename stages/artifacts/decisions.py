"""Decisions that a person made about a clip: who is the right person, where a landmark lies, which frames to leave out.

The same words stand in the file that a person writes and in the artifact of each kind that a stage reads.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from stages.artifacts.files import REMAKE, read_facts, write_facts
from stages.artifacts.frames import Frames
from stages.problems import Problem

Kind = Literal["person", "landmarks", "drop"]
KINDS: Final[tuple[Kind, ...]] = ("person", "landmarks", "drop")
"""Each is read by one stage: detection, alignment, dataset."""

HAND: Final = Path("data/decisions")
"""Where people write, one file a clip."""

DECIDED: Final = Path("data/decided")
"""Where the stages read."""

LANDMARKS: Final = 478


class Span(NamedTuple):
    """Frames in a row, the last included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def spans_of(frames: Iterable[int]) -> list[Span]:
    """Frame numbers in any order as the fewest spans, ascending."""
    numbers = np.unique(np.fromiter(frames, np.int64))
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [Span(int(part[0]), int(part[-1])) for part in parts if len(part)]


def _span(value: object) -> object:
    """A span from a number, or from text such as "120-180"."""
    if isinstance(value, Span):
        return value
    found = None if isinstance(value, bool) else re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", str(value))
    if found is None:
        raise ValueError("give a frame's number (17) or a range of frames (120-180)")
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise ValueError(f"the range ends at {last}, before it begins at {first}")
    return Span(first, last)


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _as_drop(value: object) -> object:
    """Frames alone, without a reason."""
    return value if isinstance(value, dict | BaseModel) else {"frames": value}


Frame = Annotated[int, Field(ge=0, strict=True)]
Spans = Annotated[
    tuple[Annotated[Span, BeforeValidator(_span), PlainSerializer(str)], ...],
    BeforeValidator(_several),
    Field(min_length=1),
]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Drop(_Entry):
    """Frames that are left out of the face set."""

    frames: Spans
    reason: str = Field("", max_length=80, pattern=r"^[^\n]*$")


class TrackName(_Entry):
    """A track by its number, and by the frame at which it begins: on other tracks the two do not go together."""

    track: int = Field(ge=0, strict=True)
    first: Frame


class Person(_Entry):
    """Tracks that are the right person, and such that are not, whatever the similarity says."""

    right: tuple[TrackName, ...] = ()
    wrong: tuple[TrackName, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        counts = Counter(name.track for name in (*self.right, *self.wrong))
        track, count = counts.most_common(1)[0] if counts else (0, 0)
        if count > 1:
            raise ValueError(f"track {track} stands {count} times under right and wrong; keep one of them")
        return self


class Correction(_Entry):
    """Where landmarks of one face lie, (x, y) in frame pixels by their number 0..477 in MediaPipe's face mesh."""

    frame: Frame
    face: int = Field(0, ge=0, strict=True)
    points: dict[Annotated[int, Field(ge=0, lt=LANDMARKS)], tuple[FiniteFloat, FiniteFloat]] = Field(min_length=1)


class Decisions(_Entry):
    """All decisions about one clip, or those of one kind.

    Attributes:
        footage: the fingerprint of the frames that were looked at (:attr:`Frames.fingerprint`): frame numbers say
            nothing about other pictures.
    """

    version: Literal[1] = 1
    footage: str | None = None
    person: Person = Person()
    landmarks: tuple[Correction, ...] = ()
    drop: tuple[Annotated[Drop, BeforeValidator(_as_drop)], ...] = ()

    @model_validator(mode="after")
    def _faces_once(self) -> Self:
        counts = Counter((each.frame, each.face) for each in self.landmarks)
        (frame, face), count = counts.most_common(1)[0] if counts else ((0, 0), 0)
        if count > 1:
            raise ValueError(
                f"face {face} of frame {frame} stands {count} times under landmarks; put its points together"
            )
        return self

    def __len__(self) -> int:
        return len(self.person.right) + len(self.person.wrong) + len(self.landmarks) + len(self.drop)

    def only(self, kind: Kind) -> Decisions:
        """Those of one kind; without any, what there is without a file, so that the stage's input stays the same."""
        kept = Decisions(footage=self.footage).model_copy(update={kind: getattr(self, kind)})
        return kept if len(kept) else Decisions()

    def facts(self) -> dict[str, Any]:
        """For the facts of what they were applied to: how many, and the hash that tells which. Empty without any."""
        if not len(self):
            return {}
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return {"decisions": {"count": len(self), "sha256": hashlib.sha256(content.encode()).hexdigest()}}

    def require_footage(self, frames: Frames, clip: str) -> None:
        """Raises: Problem if they were made on other pictures than these."""
        if not len(self) or self.footage == frames.fingerprint:
            return
        said = f"made on the footage {self.footage}" if self.footage else "do not say on which footage they were made"
        raise Problem(
            f"these decisions {said}, the clip is {frames.fingerprint}",
            where=at(clip, "footage"),
            mend="look whether their frames still show what was meant (the clip may have been cut or replaced); "
            f"then write `footage: {frames.fingerprint}`",
        )

    def write(self, clip_folder: Path, kind: Kind) -> None:
        """As one JSON file in an existing folder."""
        write_facts(clip_folder / f"{kind}.json", self.model_dump(mode="json"))

    @classmethod
    def read(cls, clip: str, kind: Kind) -> Decisions:
        """Those of one kind about a clip; without any it is empty.

        Raises:
            Problem: the artifact is missing or damaged.
        """
        place = DECIDED / clip / f"{kind}.json"
        try:
            return cls.model_validate(read_facts(place))
        except ValidationError as error:
            raise Problem(f"it holds no decisions: {error.errors()[0]['msg']}", where=place, mend=REMAKE) from error


def at(clip: str, *field: str | int) -> str:
    """Where a person finds a field of a clip's decisions: file and dotted path, entries of lists numbered from 0."""
    return f"{HAND / clip}.yaml, {'.'.join(map(str, field))}"
