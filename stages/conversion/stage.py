"""Reads a swap model, the target's frames and alignments, and the network that knows faces; writes converted crops."""

from __future__ import annotations

from pathlib import Path

from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.atomic import whole_folder
from stages.consent import require_swap_consent
from stages.conversion.faces import ConvertFaces, arrays_of, faces_of, spans_of_faces
from stages.conversion.settings import ConversionSettings
from stages.execution.engines import HERE, Engine, opened
from stages.execution.keeping import AsArrays, Keeping
from stages.problems import Problem
from stages.progress import bar
from stages.resuming import resumable
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
    reads = ConvertFaces(frames.folder, model.folder, swap.source, params.conversion).reads
    with (
        resumable("conversion", name, reads=reads) as kept,
        whole_folder(place(name)) as folder,
        opened(params.execution) as engine,
    ):
        keeping, what = Keeping(engine, kept, AsArrays(arrays_of, faces_of)), f"conversion {name}"
        convert(frames, alignments, model, swap.source, folder, params.conversion, what=what, engine=keeping)


def convert(
    frames: Frames,
    alignments: Alignments,
    model: SwapModel,
    source: str,
    folder: Path,
    settings: ConversionSettings,
    *,
    what: str = "conversion",
    engine: Engine = HERE,
) -> None:
    """Converted crops into an existing folder, a span in memory at a time.

    Args:
        frames: of the target's clip.
        alignments: of the same clip.
        model: has a decoder for the source.
        source: the identity whose likeness is put on.
        folder: where to.
        settings: device and batch.
        what: the bar's label.
        engine: who converts.

    Raises:
        Problem: the alignments name frames that are not there, the model does not fit, or workers ran it on devices of
            different kinds.
    """
    table = alignments.table.sort_values(["frame", "face"], kind="stable", ignore_index=True)
    if (table["frame"] >= len(frames)).any():
        raise Problem("it has fewer frames than its alignments name", where=frames.folder, mend="run `dvc repro`")
    work = ConvertFaces(frames.folder, model.folder, source, settings)
    places: list[tuple[int, int]] = []
    providers: set[tuple[str, ...]] = set()
    with Converted.crops_into(folder) as writer, bar(total=len(table), what=what, unit="face") as progress:
        for span in engine.map(work, spans_of_faces(table, settings.batch)):
            pictures = zip(span.colours, span.masks, span.shown, strict=True)
            places += [writer.add(crops=each, masks=mask, shown=shown) for each, mask, shown in pictures]
            providers.add(span.providers)
            progress.update(len(span.colours))
    if len(providers) > 1:
        raise Problem(
            f"workers ran it on devices of different kinds: {sorted(providers)}",
            where="params.yaml, conversion.device",
            mend="set it to cpu, or to cuda where all workers have a GPU",
        )
    index = table[["frame", "face"]].assign(shard=[shard for shard, _ in places], row=[row for _, row in places])
    facts = {
        "source": source,
        "size": model.output_size,
        "faces": len(index),
        "network_sha256": model.network_sha256(source),
        "providers": list(providers.pop()) if providers else [],
    }
    Converted.write_index(folder, index, facts)
