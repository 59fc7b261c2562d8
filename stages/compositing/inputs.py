"""What compositing reads of a swap, with both people's consent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.compositing.continuing import continued
from stages.compositing.faces import (
    MASK_SIZE,
    faces_to_place,
    means_over_time,
    outline_of,
    shown_in,
    steady_masks,
    transform_of,
    weights_over_time,
)
from stages.compositing.masks import Mask, face_size
from stages.compositing.match import Match
from stages.compositing.occlusion import kept_free, visible_of
from stages.compositing.placing import Layer
from stages.compositing.settings import CompositingSettings, MaskSettings
from stages.consent import require_swap_consent
from stages.settings import Params


@dataclass(frozen=True)
class Inputs:
    """The clip's frames, the faces in them and their converted crops.

    Attributes:
        faces: a row per converted face, by frame and face (see :func:`stages.compositing.faces.faces_to_place`).
        alignments: that have their landmarks and what is seen of them; None if ``faces`` have these themselves.
        consent: the records' ids by role, empty outside of the pipeline.
    """

    frames: Frames
    converted: Converted
    faces: pd.DataFrame
    alignments: Alignments | None
    consent: dict[str, str]

    @classmethod
    def of(cls, frames: Frames, alignments: Alignments, converted: Converted) -> Self:
        """Raises: Problem if the artifacts do not belong together."""
        return cls(frames, converted, faces_to_place(converted, alignments, frames), alignments, {})

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

    def some(self, rows: Sequence[int] | NDArray[np.integer]) -> Self:
        """The same with these rows of the table alone, and with their landmarks and what is seen of them.

        Raises:
            Problem: the alignments are damaged.
        """
        faces = self.faces.iloc[list(rows)].reset_index(drop=True)
        if self.alignments is None:
            return replace(self, faces=faces)
        return replace(self, faces=self.alignments.widened(faces, "aligned"), alignments=None)

    def layers(
        self,
        matched: Sequence[Match],
        settings: CompositingSettings,
        wanted: Sequence[bool] | None = None,
    ) -> Iterator[Layer]:
        """Each face of the table in order, ready to be placed; memory holds what the masks' smoothing reaches.

        Of :meth:`some` of the faces, so that their landmarks are there.

        Args:
            matched: what is done to each of them.
            settings: of the stage.
            wanted: which of them are given; the others only count for their masks. All, if None.
        """
        weights = weights_over_time(self.faces, self.frames, settings.mask.steady)
        masks = steady_masks(self.converted, self.faces, weights, settings.mask)
        crops = (crop for crop, _ in self.converted.each(self.faces))
        free = self._kept_free(settings.mask)
        shown = means_over_time(shown_in(self.converted, self.faces), weights)
        for row, (crop, mask, open_, face) in enumerate(zip(crops, masks, free, shown, strict=True)):
            if wanted is None or wanted[row]:
                outline = outline_of(self.faces, row)
                rgb = continued(matched[row].applied(crop, outline), face, face_size(outline))
                rgb = matched[row].out_of_focus(rgb)
                yield Layer(rgb, mask, transform_of(self.faces, row), open_, settings.grain, settings.texture)

    def _kept_free(self, settings: MaskSettings) -> Iterator[Mask | None]:
        """Of each face where nothing passes before it, steady over time; None if that is not asked for."""
        if settings.occlusion == "none":
            yield from [None] * len(self.faces)
            return
        weights = weights_over_time(self.faces, self.frames, settings.occlusion_steady)
        each = (visible_of(self.faces, row) for row in range(len(self.faces)))
        for visible in means_over_time(each, weights):
            yield kept_free(visible, MASK_SIZE)
