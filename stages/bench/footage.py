"""``python -m stages.bench.footage``: how quickly footage goes through and in how much memory, measured in one run.

A clip is repeated to some lengths, packets copied. Each stage goes over each of them in a process of its own, in a
temporary project folder. Beside it, in the same run: ``ffmpeg`` decoding the same file to nothing, and the networks
alone on a frame in memory, as many calls side by side as the stages work on frames at once.

- *frames/s*: of the stage's own work, opening its networks included, importing Python's modules not.
- *of decoding*: that, over the frames a second at which ffmpeg decodes the file.
- *memory*: the process's peak; one column a length, so that what grows with the clip is seen.

- *CPU*: milliseconds of processor time a frame, over all threads: unlike the clock's it does not grow when other
  programs keep the machine busy. Time on a GPU is not in it.

The last lines hold extraction, detection and alignment together against the networks: *the slowest network alone*, its
calls side by side and one after the other, and *all calls of networks*, which is what the three stages would take if
nothing but networks took time.
"""

from __future__ import annotations

import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Self

import typer

from stages.alignment.looking import MEASURED_AT
from stages.bench.program import main
from stages.detection.looking import looking_of
from stages.execution.engines import asked_for, at_once
from stages.geometry import crop
from stages.packs import arcface_transform, open_pack
from stages.packs.landmarker import SIZE
from stages.problems import Problem
from stages.settings import Params, load_params
from stages.video import decode, ffmpeg_program
from stages.visible_face import VisibleFace
from stages.workers import workers

CLIP_STAGES: Final = ("admission", "decisions", "extraction", "screening", "detection", "alignment", "dataset")
SWAP_STAGES: Final = ("conversion", "compositing", "encoding")
TIMED: Final = ("extraction", "screening", "detection", "alignment", "dataset", *SWAP_STAGES)
FACE_STAGES: Final = ("extraction", "detection", "alignment")

_GIVEN: Final = ("consent", "fonts", "packs", "visibility", "decisions", "training")
"""Folders of data/ that the stages read and that this command does not make."""


_ALONE: Final = ("detector", "landmarker", "recogniser", "visibility")


@dataclass(frozen=True)
class Time:
    """Seconds by the ``clock`` and of the processor, ``cpu``, over all threads of the process."""

    clock: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        """Both, from times of no meaning."""
        return cls(time.perf_counter(), time.process_time())

    def __add__(self, other: Time) -> Time:
        return Time(self.clock + other.clock, self.cpu + other.cpu)

    def __sub__(self, other: Time) -> Time:
        return Time(self.clock - other.clock, self.cpu - other.cpu)

    def __mul__(self, factor: float) -> Time:
        return Time(factor * self.clock, factor * self.cpu)


@dataclass(frozen=True)
class Run:
    """One stage over one clip: ``time`` of its work, peak ``memory`` in bytes of its process."""

    time: Time
    memory: int


@dataclass(frozen=True)
class Networks:
    """Time of one call on one frame of one face.

    Of the landmark network with the look in the mirror (``landmarker``) and without (``glance``).

    ``every``: how often detection looks.
    """

    detector: Time
    landmarker: Time
    recogniser: Time
    visibility: Time
    glance: Time
    every: int

    @property
    def slowest(self) -> Time:
        """That of the four which takes longest by the clock."""
        return max((self.detector, self.landmarker, self.recogniser, self.visibility), key=lambda each: each.clock)

    @property
    def together(self) -> Time:
        """All calls that the stages make for a frame of a face that is known and moves little.

        In every n-th frame it is found, glanced at and recognised; in each it is placed, with a look in the mirror, and
        what is before it is told.
        """
        found = (self.detector + self.recogniser + self.glance) * (1 / self.every)
        return found + self.landmarker + self.visibility


def repeated(clip: Path, seconds: float, path: Path) -> int:
    """Write a clip's pictures over and over until they fill ``seconds``, packets copied; returns how many there are.

    Raises:
        Problem: ffmpeg can not.
    """
    _ffmpeg("-stream_loop", "-1", "-i", str(clip), "-t", f"{seconds:g}", "-map", "0:v", "-c", "copy", str(path))
    return sum(1 for _ in decode(path))


def decoding(path: Path) -> float:
    """Seconds that ffmpeg takes to decode a file's pictures and to throw them away."""
    started = time.perf_counter()
    _ffmpeg("-i", str(path), "-map", "0:v", "-f", "null", "-")
    return time.perf_counter() - started


def _ffmpeg(*arguments: str) -> None:
    try:
        subprocess.run([ffmpeg_program(), "-v", "error", "-nostdin", "-y", *arguments], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        raise Problem(
            f"ffmpeg does not do it: {said.decode(errors='replace').strip()}",
            where=" ".join(arguments),
            mend="give a clip that ffmpeg can copy with --clip",
        ) from error


def stage_run(stage: str, name: str, params: Params, folder: Path) -> Run:
    """Run a stage in this process, in a project folder. Meant for a fresh process, whose peak is then the stage's."""
    os.chdir(folder)
    logging.disable(logging.WARNING)
    run: Callable[[str, Params], object] = import_module(f"stages.{stage}.stage").run
    started = Time.now()
    run(name, params)
    return Run(Time.now() - started, _peak())


def networks(clip: Path, params: Params, seconds: float, *, side_by_side: bool = True) -> Networks:
    """Time each network of the detection settings alone, on the clip's first frame, for some seconds each.

    Either as many calls are made side by side as the stages work on frames at once, each in the threads of the
    settings: the best that the network can do here. Or one call after the other, in as many threads as those would be.
    """
    beside = at_once(asked_for(params.execution))
    threads = params.detection.threads if side_by_side else params.detection.threads * beside
    detection = params.detection.model_copy(update={"threads": threads})
    looking = looking_of(open_pack(detection.pack), detection)
    frame = next(islice(decode(clip), 1)).rgb()
    found = looking.detector.detect([frame])[0]
    if not len(found):
        raise Problem("there is no face in its first frame", where=clip, mend="give another clip with --clip")
    points = found.points[:1]
    crops = crop(frame, arcface_transform(points[0], SIZE), SIZE)[None]  # a face: zeros would be quicker
    visibility = VisibleFace.open(device=params.alignment.device, threads=threads)
    small = crop(frame, arcface_transform(points[0], MEASURED_AT), MEASURED_AT)[None]
    each = partial(_each, seconds=seconds, beside=beside if side_by_side else 1)
    return Networks(
        detector=each(lambda: looking.detector.detect([frame])),
        landmarker=each(lambda: looking.landmarker.place(crops)),
        recogniser=each(lambda: looking.recogniser.embed(frame, points)),
        visibility=each(lambda: visibility.look(small)),
        glance=each(lambda: looking.landmarker.place(crops, mirror="never")),
        every=detection.every,
    )


def _each(work: Callable[[], object], seconds: float, beside: int) -> Time:
    """Mean time of a call, over as many as fit into the seconds, one at least, in so many threads."""
    work()
    started = Time.now()

    def calls() -> int:
        made = 0
        while made == 0 or time.perf_counter() - started.clock < seconds:
            work()
            made += 1
        return made

    with ThreadPoolExecutor(beside) as pool:
        made = sum(each.result() for each in [pool.submit(calls) for _ in range(beside)])
    return (Time.now() - started) * (1 / made)


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def chain(params: Params, swap: str | None, clip: str) -> Iterator[tuple[str, str]]:
    """The stages in order and what each is run on; to the swap's deliverable if there is a trained model for it."""
    yield from ((stage, clip) for stage in CLIP_STAGES)
    if swap is not None and (Path("data/training") / params.swap(swap).pair / "model.safetensors").is_file():
        yield from ((stage, swap) for stage in SWAP_STAGES)


def project(folder: Path) -> None:
    """Make an empty folder a project: what the stages read and this command does not make is linked."""
    (folder / "data").mkdir()
    for name in _GIVEN:
        if Path("data", name).exists():
            (folder / "data" / name).symlink_to(Path("data", name).resolve())
    if Path("data/audit").exists():  # stages add to it, and withdrawals of consent stand in it
        shutil.copytree("data/audit", folder / "data" / "audit")


def fresh(work: Callable[..., Run], *arguments: object) -> Run:
    """Do some work in a new process."""
    with workers(1) as process:
        return process.submit(work, *arguments).result()


def measure(params: Params, clip: str, swap: str | None, lengths: tuple[float, ...], seconds: float) -> Iterator[str]:
    """The lines of the table, as they come.

    Args:
        params: the settings.
        clip: of params.yaml; which one is repeated.
        swap: of it, to measure the stages after the face set too.
        lengths: in seconds.
        seconds: time for each network.

    Raises:
        Problem: the clip is not there or has no face, or a stage has one.
    """
    counts, decoded, runs = [], [], []
    for length in lengths:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            source = params.clip(clip).path
            project(folder)
            # at the same path where that can be: consent to rendered performers is consent to what lies there
            path = folder / (f"clip{source.suffix}" if source.is_absolute() or ".." in source.parts else source)
            path.parent.mkdir(parents=True, exist_ok=True)
            counts.append(repeated(source, length, path))
            here = params.clip(clip).model_copy(update={"path": path.relative_to(folder)})
            longer = params.model_copy(update={"clips": params.clips | {clip: here}})
            decoded.append(decoding(path))
            runs.append(
                {stage: fresh(stage_run, stage, name, longer, folder) for stage, name in chain(params, swap, clip)}
            )
    yield f"| {' | '.join(['stage', 'frames/s', 'of decoding', 'CPU', *(f'memory, {n} frames' for n in counts)])} |"
    yield f"|---|{'---:|' * (3 + len(counts))}"
    rate = counts[-1] / decoded[-1]
    yield f"| ffmpeg, decoding | {rate:.1f} | 100.0% | |{' |' * len(counts)}"
    for stage in [stage for stage in TIMED if stage in runs[-1]]:
        each = runs[-1][stage].time * (1 / counts[-1])
        memory = [f"{run[stage].memory / 2**20:.0f} MB" for run in runs]
        speed = f"{1 / each.clock:.1f} | {1 / each.clock / rate:.1%} | {1000 * each.cpu:.1f} ms"
        yield f"| {stage} | {speed} | {' | '.join(memory)} |"
    alone = networks(params.clip(clip).path, params, seconds)
    single = networks(params.clip(clip).path, params, seconds, side_by_side=False)
    frame = sum((runs[-1][stage].time for stage in FACE_STAGES), Time(0.0, 0.0)) * (1 / counts[-1])
    yield ""
    yield "| frames, detection, alignment | frames/s | CPU | of together, by the clock | by CPU |"
    yield "|---|---:|---:|---:|---:|"
    rows = {"together": frame}
    rows |= {f"the {name} alone, one call": getattr(alone, name) for name in _ALONE}
    rows |= {"the landmarker alone, without the mirror": alone.glance}
    rows |= {"the slowest network alone": alone.slowest, "the slowest, one call after the other": single.slowest}
    rows |= {"all calls of networks": alone.together}
    for name, each in rows.items():
        shares = f"{each.clock / frame.clock:.0%} | {each.cpu / frame.cpu:.0%}"
        yield f"| {name} | {1 / each.clock:.1f} | {1000 * each.cpu:.1f} ms | {shares} |"


def command(
    clip: Annotated[str | None, typer.Option(help="a clip of params.yaml; the first if left out")] = None,
    lengths: Annotated[str, typer.Option(help="of the clips that it is repeated to, in seconds")] = "5,10,20",
    seconds: Annotated[float, typer.Option(min=0.0, help="time for each network alone")] = 3.0,
    faces: Annotated[bool, typer.Option("--faces", help="only the stages up to the face set")] = False,
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print frames a second and peak memory of each stage, beside ffmpeg's decoding and the networks alone."""
    settings = load_params(params)
    chosen = clip or next(iter(settings.clips))
    swaps = {} if faces else settings.swaps
    swap = next((name for name, swap in swaps.items() if swap.clip == chosen), None)
    for line in measure(settings, chosen, swap, tuple(float(length) for length in lengths.split(",")), seconds):
        print(line, flush=True)


if __name__ == "__main__":
    main("footage", command)
