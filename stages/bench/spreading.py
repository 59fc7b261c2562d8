"""``python -m stages.bench.spreading``: what threads, processes and a Dask cluster bring, and what they cost.

The frame-wise stages go over a swap's clip, whose artifacts must be there, in this process and by each engine with each
number of workers; what they write goes to a temporary folder and is compared, byte by byte.

- *frames/s*: of the whole stage, with what is done in one place, and with every worker opening its networks.
- *to 1*: that, over the same engine's with one worker.
- *start*: seconds until the engine's workers have all given a first result.
- *a span*: milliseconds that handing over a span of no work takes, there and back.

On a machine that others use too, ratios of one run tell little: repeat it.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from stages.alignment.stage import align
from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.detections import Detections
from stages.artifacts.files import sha256_of_all
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.bench.program import main
from stages.compositing.stage import composite
from stages.consent import require_swap_consent
from stages.conversion.stage import convert
from stages.detection.stage import detect
from stages.execution.engines import HERE, Engine, opened
from stages.execution.settings import ExecutionSettings
from stages.problems import Problem, nearest
from stages.settings import Params, load_params

SPANS: Final = 200
"""Of no work."""

Stage = Callable[[Path, Engine], None]
"""Writes the artifact into a folder, by an engine."""


@dataclass(frozen=True)
class Nothing:
    """No work at all: gives the process and the thread that did it."""

    @property
    def reads(self) -> tuple[Path, ...]:
        """Nothing."""
        return ()

    def begin(self) -> Callable[[float], tuple[int, int]]:
        """Wait for a span's seconds."""

        def nothing(seconds: float) -> tuple[int, int]:
            time.sleep(seconds)
            return os.getpid(), threading.get_ident()

        return nothing


def stages_of(name: str, params: Params, count: int | None) -> dict[str, Stage]:
    """The frame-wise stages of a swap, over the first ``count`` frames of its clip.

    Raises:
        Problem: no consent; an artifact is missing or damaged.
    """
    require_swap_consent(name, params, "bench", noted="nothing")
    swap = params.swap(name)
    frames = Frames.read(Path("data/extraction") / swap.clip)
    frames = replace(frames, index=frames.index.head(count or len(frames)))
    faces = Detections.read(Path("data/detection") / swap.clip).faces
    faces = faces[faces["frame"] < len(frames)]
    alignments = Alignments.read(Path("data/alignment") / swap.clip)
    alignments = replace(alignments, table=alignments.table[alignments.table["frame"] < len(frames)])
    converted = Converted.read(Path("data/conversion") / name)
    converted = replace(converted, index=converted.index[converted.index["frame"] < len(frames)])
    model = SwapModel.read(Path("data/training") / swap.pair)
    detection, alignment, conversion = params.detection, params.alignment, params.conversion
    pictures = params.identities[swap.target].reference
    return {
        "detection": lambda to, by: detect(
            frames, detection, pictures, clip=swap.clip, identity=swap.target, engine=by
        ).write(to),
        "alignment": lambda to, by: align(frames, faces, alignment, clip=swap.clip, engine=by).write(to),
        "conversion": lambda to, by: convert(frames, alignments, model, swap.source, to, conversion, engine=by),
        "compositing": lambda to, by: composite(frames, alignments, converted, to, params.compositing, engine=by),
    }


def measure(stages: dict[str, Stage], frames: int, counts: tuple[int, ...]) -> Iterator[str]:
    """The lines of the table, as they come.

    Args:
        stages: to run.
        frames: that each goes over.
        counts: of workers.

    Raises:
        Problem: two ways of doing a stage do not give the same bytes.
    """
    yield f"{frames} frames; {os.cpu_count()} processors, of which {os.getloadavg()[0]:.1f} were busy at the start"
    yield ""
    yield f"| engine | workers | start | a span | {' | '.join(f'{stage}, frames/s | to 1' for stage in stages)} |"
    yield f"|---|{'---:|' * (3 + 2 * len(stages))}"
    here = {stage: _timed(run, HERE) for stage, run in stages.items()}
    cells = " | ".join(f"{frames / here[stage][0]:.1f} |" for stage in stages)
    yield f"| here | | | | {cells} |"
    names: tuple[Literal["threads", "processes", "dask"], ...] = ("threads", "processes", "dask")
    for name in names:
        alone: dict[str, float] = {}
        for count in counts:
            started = time.perf_counter()
            with opened(ExecutionSettings(engine=name, workers=count)) as engine:
                while len(set(engine.map(Nothing(), [0.05] * (4 * count)))) < count:
                    pass
                start, row = time.perf_counter() - started, []
                started = time.perf_counter()
                list(engine.map(Nothing(), [0.0] * SPANS))
                span = (time.perf_counter() - started) / SPANS
                for stage, run in stages.items():
                    seconds, sha256 = _timed(run, engine)
                    if sha256 != here[stage][1]:
                        raise Problem(
                            f"{stage} by {count} {name} gives other bytes than here",
                            where="stages.execution",
                            mend="tell the project: this must not be",
                        )
                    alone.setdefault(stage, seconds)
                    row.append(f"{frames / seconds:.1f} | {alone[stage] / seconds:.2f}")
            yield f"| {name} | {count} | {start:.1f} s | {1000 * span:.1f} ms | {' | '.join(row)} |"


def _timed(run: Stage, engine: Engine) -> tuple[float, str]:
    """Seconds that a stage takes, and a hash of what it writes."""
    with tempfile.TemporaryDirectory() as made:
        started = time.perf_counter()
        run(Path(made), engine)
        return time.perf_counter() - started, sha256_of_all(sorted(Path(made).iterdir()))


def command(
    swap: Annotated[str | None, typer.Option(help="a swap of params.yaml; the first if left out")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="of its clip; all if left out")] = None,
    workers: Annotated[str, typer.Option(help="numbers of workers to compare, the first 1")] = "1,2",
    stages: Annotated[str, typer.Option(help="which stages")] = "detection,alignment,conversion,compositing",
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print frames a second of the frame-wise stages by each engine, and what an engine costs."""
    settings = load_params(params)
    name = swap or next(iter(settings.swaps))
    known = stages_of(name, settings, frames)
    chosen = {}
    for stage in stages.split(","):
        if stage not in known:
            raise Problem(f"'{stage}' is not spread", where="--stages", mend=nearest(stage, list(known)))
        chosen[stage] = known[stage]
    total = len(Frames.read(Path("data/extraction") / settings.swap(name).clip))
    for line in measure(chosen, min(frames or total, total), tuple(int(count) for count in workers.split(","))):
        print(line, flush=True)


if __name__ == "__main__":
    main("spreading", command)
