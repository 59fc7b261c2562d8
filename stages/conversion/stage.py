"""Reads a swap model and the target's frames and alignments; writes converted crops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.atomic import whole_folder
from stages.consent import require_swap_consent
from stages.conversion.network import SourceNetwork, in_batches
from stages.conversion.settings import ConversionSettings
from stages.geometry import as_matrix, crop
from stages.onnx import open_session
from stages.problems import Problem
from stages.progress import bar
from stages.settings import Params


def place(swap: str) -> Path:
    """Where the converted crops of a swap lie."""
    return Path("data/conversion") / swap


def run(name: str, params: Params) -> None:
    """Give every aligned face of a swap's target the source's likeness.

    Raises:
        Problem: no consent; an artifact is missing, damaged or does not fit the others; the device is not there.
    """
    swap = params.swap(name)
    require_swap_consent(name, params, "conversion")
    frames = Frames.read(Path("data/extraction") / swap.clip)
    alignments = Alignments.read(Path("data/alignment") / swap.clip)
    model = SwapModel.read(Path("data/training") / swap.pair)
    with whole_folder(place(name)) as folder:
        convert(frames, alignments, model, swap.source, folder, params.conversion, what=f"conversion {name}")


def convert(
    frames: Frames,
    alignments: Alignments,
    model: SwapModel,
    source: str,
    folder: Path,
    settings: ConversionSettings,
    *,
    what: str = "conversion",
) -> None:
    """Converted crops into an existing folder, a batch in memory at a time.

    Args:
        frames: of the target's clip.
        alignments: of the same clip.
        model: has a decoder for the source.
        source: the identity whose likeness is put on.
        folder: where to.
        settings: device and batch.
        what: the bar's label.

    Raises:
        Problem: the alignments name frames that are not there, or the model does not fit.
    """
    table = alignments.table.sort_values(["frame", "face"], kind="stable", ignore_index=True)
    if (table["frame"] >= len(frames)).any():
        raise Problem("it has fewer frames than its alignments name", where=frames.folder, mend="run `dvc repro`")
    session = open_session(model.network(source), device=settings.device, threads=settings.threads)
    network = SourceNetwork(session, model)
    places: list[tuple[int, int]] = []
    with Converted.crops_into(folder) as writer, bar(total=len(table), what=what, unit="face") as shown:
        for batch in in_batches(_aligned_crops(frames, table, model.crop_size), settings.batch):
            for colour, mask in zip(*network.convert(batch), strict=True):
                places.append(writer.add(crops=colour, masks=mask))
            shown.update(len(batch))
    index = table[["frame", "face"]].assign(shard=[shard for shard, _ in places], row=[row for _, row in places])
    facts = {
        "source": source,
        "size": model.output_size,
        "faces": len(index),
        "network_sha256": model.network_sha256(source),
        "providers": session.get_providers(),
    }
    Converted.write_index(folder, index, facts)


def _aligned_crops(frames: Frames, table: pd.DataFrame, size: int) -> Iterator[NDArray[np.uint8]]:
    """The crop of each row, (size, size, 3) uint8 RGB; every frame is read once."""
    transforms = table["transform"].groupby(table["frame"]).agg(list)
    for frame in frames.pick(transforms.index.tolist()):
        picture = frame.rgb()
        for transform in transforms[frame.number]:
            yield crop(picture, as_matrix(transform), size)
