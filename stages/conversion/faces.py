"""The faces of a span of the alignments' table, converted, and what of the pictures shows a face."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.artifacts.visibility import SIZE
from stages.conversion.network import SourceNetwork, in_batches
from stages.conversion.settings import ConversionSettings
from stages.execution.work import FRAMES, tables_of
from stages.geometry import as_matrix
from stages.onnx import open_session
from stages.visible_face import NETWORK, PLACE, VisibleFace

FaceOfFrame = tuple[int, NDArray[np.float64]]
"""A frame's number, and the transform (6,) of a face in it, row-major 2x3, frame pixels to unit crop."""


@dataclass(frozen=True)
class ConvertedFaces:
    """What a span gives.

    Attributes:
        colours: (n, R, R, 3) uint8 RGB.
        masks: (n, R, R) uint8.
        shown: (n, S, S) uint8, how surely the colours show a face (:mod:`stages.visible_face`).
        providers: onnxruntime's, that the network ran on.
    """

    colours: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    shown: NDArray[np.uint8]
    providers: tuple[str, ...]


def arrays_of(faces: ConvertedFaces) -> dict[str, NDArray[Any]]:
    """Converted faces as arrays."""
    providers = np.frombuffer(",".join(faces.providers).encode(), np.uint8)
    return {"colours": faces.colours, "masks": faces.masks, "shown": faces.shown, "providers": providers}


def faces_of(arrays: Mapping[str, NDArray[Any]]) -> ConvertedFaces:
    """What :func:`arrays_of` was given."""
    providers = arrays["providers"].tobytes().decode().split(",")
    return ConvertedFaces(arrays["colours"], arrays["masks"], arrays["shown"], tuple(providers))


@dataclass(frozen=True)
class ConvertFaces:
    """The work of a span, faces sorted by frame: their crops through the source's network.

    Attributes:
        frames: folder of the target's frames.
        model: folder of the swap model.
        source: the identity whose likeness is put on.
        settings: device and batch.
    """

    frames: Path
    model: Path
    source: str
    settings: ConversionSettings

    @property
    def reads(self) -> tuple[Path, ...]:
        """As :class:`stages.execution.work.Work` has it."""
        model = SwapModel.read(self.model)
        return *tables_of(self.frames), self.model / "model.json", model.network(self.source), PLACE / NETWORK

    def begin(self) -> Callable[[Sequence[FaceOfFrame]], ConvertedFaces]:
        """Open frames and networks.

        Raises:
            Problem: one of them is missing or damaged, or they do not fit each other; later, a shard is damaged.
        """
        frames, model = Frames.read(self.frames), SwapModel.read(self.model)
        session = open_session(model.network(self.source), device=self.settings.device, threads=self.settings.threads)
        network, providers = SourceNetwork(session, model), tuple(session.get_providers())
        visibility = VisibleFace.open(device=self.settings.device, threads=self.settings.threads)

        def convert(span: Sequence[FaceOfFrame]) -> ConvertedFaces:
            batches = in_batches(_crops(frames, span, model.crop_size), self.settings.batch)
            done = [network.convert(batch) for batch in batches]
            shown = [_shown(visibility, colours) for colours, _ in done]
            colours, masks = (np.concatenate(part) for part in zip(*done, strict=True))
            return ConvertedFaces(colours, masks, np.concatenate(shown), providers)

        return convert


def _shown(visibility: VisibleFace, colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How surely converted crops (n, R, R, 3) show a face, (n, SIZE, SIZE) uint8."""
    way = cv2.INTER_AREA if colours.shape[1] > SIZE else cv2.INTER_LINEAR
    small = np.stack([cv2.resize(each, (SIZE, SIZE), interpolation=way) for each in colours])
    return np.asarray(np.rint(255.0 * visibility.look(small).clip(0.0, 1.0)), np.uint8)


def _crops(frames: Frames, span: Sequence[FaceOfFrame], size: int) -> Iterator[NDArray[np.uint8]]:
    """The crop of each face, (size, size, 3) uint8 RGB; every frame is read once."""
    groups = [(number, list(faces)) for number, faces in groupby(span, key=lambda face: face[0])]
    pictures = frames.pick([number for number, _ in groups])
    for frame, (_, faces) in zip(pictures, groups, strict=True):
        for _, transform in faces:
            yield frame.crop(as_matrix(transform), size)


def spans_of_faces(table: pd.DataFrame, batch: int) -> list[list[FaceOfFrame]]:
    """The rows of a table, cut into spans of whole batches.

    A face's last digits may depend on how many pass the network beside it, so batches are those of the whole table,
    wherever it is cut.
    """
    length = batch * -(-FRAMES // batch)
    rows = list(zip(table["frame"].astype(int), table["transform"], strict=True))
    return [rows[start : start + length] for start in range(0, len(rows), length)]
