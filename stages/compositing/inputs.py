"""What compositing reads of a swap, with both people's consent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import pandas as pd

from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.compositing.faces import faces_to_place, steady_masks, transform_of, weights_over_time
from stages.compositing.matching import Match
from stages.compositing.placing import Layer
from stages.compositing.settings import CompositingSettings
from stages.consent import require_swap_consent
from stages.settings import Params


@dataclass(frozen=True)
class Inputs:
    """The clip's frames, the faces in them and their converted crops.

    Attributes:
        faces: a row per converted face, by frame and face (see :func:`stages.compositing.faces.faces_to_place`).
        consent: the records' ids by role, empty outside of the pipeline.
    """

    frames: Frames
    converted: Converted
    faces: pd.DataFrame
    consent: dict[str, str]

    @classmethod
    def of(cls, frames: Frames, alignments: Alignments, converted: Converted) -> Self:
        """Raises: Problem if the artifacts do not belong together."""
        return cls(frames, converted, faces_to_place(converted, alignments, frames), {})

    @classmethod
    def read(cls, name: str, params: Params) -> Self:
        """The inputs of a swap of the settings.

        Raises:
            Problem: no such swap; no consent; an artifact is missing, damaged or of another version of the clip.
        """
        swap = params.swap(name)
        consent = {role: record.id for role, record in require_swap_consent(name, params, "compositing").items()}
        frames = Frames.read(Path("data/extraction") / swap.clip)
        alignments = Alignments.read(Path("data/alignment") / swap.clip)
        converted = Converted.read(Path("data/conversion") / name)
        return replace(cls.of(frames, alignments, converted), consent=consent)

    def layers(
        self, matched: Sequence[Match], settings: CompositingSettings, wanted: Sequence[bool] | None = None
    ) -> Iterator[Layer]:
        """Each face of the table in order, ready to be placed; memory holds what the masks' smoothing reaches.

        Args:
            matched: what is done to each of them.
            settings: of the stage.
            wanted: which of them are given; the others only count for their masks. All, if None.
        """
        weights = weights_over_time(self.faces, self.frames, settings.mask.steady)
        masks = steady_masks(self.converted, self.faces, weights, settings.mask)
        crops = (crop for crop, _ in self.converted.each(self.faces))
        for row, (crop, mask) in enumerate(zip(crops, masks, strict=True)):
            if wanted is None or wanted[row]:
                yield Layer(matched[row].applied(crop, settings.colour.method), mask, transform_of(self.faces, row))
