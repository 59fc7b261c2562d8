"""``python -m stages.bench.marks``: what the watermark survives and what it costs, on ten-second scenes that it makes.

Every scene is delivered by the encoding stage's own code, marked and unmarked, then attacked by ffmpeg, and read with
nothing but the public key. *Read* means: that identifier and no other.

- *PSNR* of the luma, and *VMAF*, of marked frames against unmarked, before any codec.
- *growth* of an H.264 file by marking, at equal crf.
- *share of encoding*: processor time that marking and reading back add, over the whole (all threads of all programs).
- *unmarked windows*: up to two seconds of unmarked frames each, added up, mirrored and moved at random, read with one
  of many keys, with the whole search for crops.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from stages.artifacts.frames import Frames
from stages.bench.attacks import ATTACKS, Attack, ffmpeg, x264
from stages.bench.films import RATE, Scene, films_in, own_scenes
from stages.bench.program import main
from stages.bench.reel import facts_of, reel
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import encode
from stages.problems import Problem
from stages.watermark import read_file
from stages.watermark.pattern import Pattern
from stages.watermark.planes import brightness
from stages.watermark.raster import evened
from stages.watermark.reading import look
from stages.workers import workers

CONCATENATED: Final = "between unmarked film"
QUICK: Final = ("x264 crf 28", "scaled by 0.5", "cropped by 10 %", "mirrored")
_KEYS: Final = 25
_TOLERANCE: Final = 2.5
"""Seconds by which a mark's beginning and end may be told wrong in a film that is only partly marked."""


log = logging.getLogger(__name__)


@dataclass
class Result:
    """What came out for one scene.

    Attributes:
        name: of the scene.
        psnr, vmaf: of marking; ``vmaf`` is None where ffmpeg has no libvmaf.
        growth: of the file, by crf.
        share: of processor time that marking and reading back take in encoding.
        scores: by attack, 0 where the mark was not read.
        unmarked: the greatest score of each unmarked window.
        alarms: unmarked windows in which a mark was read.
    """

    name: str
    psnr: float = 0.0
    vmaf: float | None = None
    growth: dict[int, float] = field(default_factory=dict)
    share: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    unmarked: list[float] = field(default_factory=list)
    alarms: int = 0

    def told(self) -> str:
        """In a line, for the log, so that a run that is broken off has not been in vain."""
        scores = ", ".join(f"{name} {score:.1f}" for name, score in self.scores.items())
        growth = ", ".join(f"{share:+.1%} at crf {crf}" for crf, share in self.growth.items())
        windows = f"{self.alarms} alarms in {len(self.unmarked)} windows, greatest {max(self.unmarked, default=0):.2f}"
        vmaf = f"VMAF {self.vmaf}" if self.vmaf else "no VMAF"
        return f"{self.name}: {self.psnr:.1f} dB, {vmaf}, {growth}, share {self.share:.1%}; {scores}; {windows}"


def measured(scene: Scene, seconds: float, height: int, attacks: Sequence[Attack], windows: int) -> Result:
    """Everything about one scene, in a temporary folder."""
    result = Result(scene.name)
    with _quiet(), tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "frames").mkdir()
        width = height * 16 // 9 // 2 * 2
        pictures = scene.pictures(round(seconds * RATE), width, height)
        frames = reel(folder / "frames", pictures, facts_of(width, height, RATE))
        clean, _, _ = delivered(frames, folder / "clean", codec="ffv1", watermark=False)
        marked, identifier, _ = delivered(frames, folder / "marked", codec="ffv1")
        result.psnr, result.vmaf = likeness_of(marked, clean)
        for crf in (17, 23):
            plain, _, without = delivered(frames, folder / f"plain{crf}", crf=crf, watermark=False)
            grown, _, with_mark = delivered(frames, folder / f"grown{crf}", crf=crf)
            result.growth[crf] = grown.stat().st_size / plain.stat().st_size - 1
            result.share = max(result.share, 1 - without / with_mark)
        for attack in attacks:
            out = folder / "attacked.mp4"
            attack.apply(marked, out)
            result.scores[attack.name] = _score(out, identifier, None)
        result.scores[CONCATENATED] = _between(clean, marked, folder, identifier, seconds)
        result.unmarked, result.alarms = unmarked(frames, windows)
    return result


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the stages' own words."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def delivered(frames: Frames, folder: Path, **settings: object) -> tuple[Path, str, float]:
    """A deliverable's file, its mark's identifier (empty if it has none), and processor time in seconds."""
    folder.mkdir()
    before = sum(os.times()[:4])
    made = encode(frames, None, folder, EncodingSettings.model_validate(settings), {"swap": folder.parent.name})
    spent = sum(os.times()[:4]) - before
    return made.video, made.facts.get("watermark", {}).get("identifier", ""), spent


def likeness_of(marked: Path, clean: Path) -> tuple[float, float | None]:
    """PSNR of luma, and VMAF if ffmpeg has it."""
    said = ffmpeg("-i", marked, "-i", clean, "-lavfi", "psnr", "-f", "null", "-")
    found = re.search(r"PSNR y:([\d.]+)", said)
    try:
        judging = ffmpeg("-i", marked, "-i", clean, "-lavfi", "libvmaf=n_subsample=5", "-f", "null", "-")
        judged = re.search(r"VMAF score: ([\d.]+)", judging)
    except Problem:
        judged = None
    return float(found.group(1)) if found else 0.0, float(judged.group(1)) if judged else None


def _score(film: Path, identifier: str, between: tuple[float, float] | None) -> float:
    """The score of the mark that was read, 0 if it is not just that one or not there where it should be."""
    readings = read_file(film)
    if [f"{each.identifier:012x}" for each in readings] != [identifier]:
        return 0.0
    found = readings[0]
    if between and max(abs(found.start - between[0]), abs(found.end - between[1])) > _TOLERANCE:
        return 0.0
    return found.score


def _between(clean: Path, marked: Path, folder: Path, identifier: str, seconds: float) -> float:
    out = folder / "between.mp4"
    lead = seconds / 2
    inputs = ("-t", f"{lead:g}", "-i", clean, "-i", marked, "-t", f"{lead:g}", "-i", clean)
    ffmpeg(*inputs, "-filter_complex", "concat=n=3:v=1:a=0", *x264(23), out)
    return _score(out, identifier, (lead, lead + seconds))


def unmarked(frames: Frames, windows: int) -> tuple[list[float], int]:
    """Scores of unmarked windows, and in how many a mark was read."""
    rng = np.random.default_rng(len(frames))
    rasters = np.stack([evened(brightness(frame.picture)) for frame in frames])
    patterns = [Pattern.of(f"key {number}".encode()) for number in range(_KEYS)]
    scores, alarms = [], 0
    for number in range(windows):
        first = int(rng.integers(0, len(rasters) - 1))
        last = first + 1 + int(rng.integers(0, 2 * RATE))
        window = np.roll(rasters[first:last].sum(0), rng.integers(0, 192, 2).tolist(), (0, 1))
        window = np.ascontiguousarray(window[:: rng.choice([1, -1]), :: rng.choice([1, -1])])
        found = look(window, patterns[number * _KEYS // windows])
        scores.append(found.score)
        alarms += found.identifier is not None
    return scores, alarms


def tables(results: Sequence[Result]) -> Iterator[str]:
    """What is printed: costs by scene, robustness by attack, unmarked windows."""
    yield "| scene | PSNR | VMAF | growth, crf 17 | crf 23 | share of encoding |"
    yield "|---|---:|---:|---:|---:|---:|"
    for each in results:
        vmaf = "–" if each.vmaf is None else f"{each.vmaf:.1f}"
        growth = " | ".join(f"{each.growth[crf]:+.1%}" for crf in (17, 23))
        yield f"| {each.name} | {each.psnr:.1f} dB | {vmaf} | {growth} | {each.share:.1%} |"
    means = [np.mean([each.growth[crf] for each in results]) for crf in (17, 23)]
    least = min(each.psnr for each in results)
    share = np.mean([each.share for each in results])
    rest = f"{means[0]:+.1%} | {means[1]:+.1%} | {share:.1%}"
    yield f"| all: least PSNR, mean growth and share | {least:.1f} dB | | {rest} |"
    yield ""
    yield "| attack | read | weakest score | not read |"
    yield "|---|---:|---:|---|"
    for name in results[0].scores:
        scores = {each.name: each.scores[name] for each in results}
        lost = [scene for scene, score in scores.items() if not score]
        weakest = min((score for score in scores.values() if score), default=0.0)
        yield f"| {name} | {len(scores) - len(lost)} of {len(scores)} | {weakest:.1f} | {', '.join(lost)} |"
    unmarked = np.concatenate([each.unmarked for each in results])
    alarms = sum(each.alarms for each in results)
    yield ""
    yield (
        f"{len(unmarked)} unmarked windows: {alarms} false alarms. The best word's score: mean {unmarked.mean():.2f}, "
        f"99.9 % below {np.quantile(unmarked, 0.999):.2f}, greatest {unmarked.max():.2f}."
    )


def command(
    films: Annotated[Path | None, typer.Option(help="a folder of films, in place of the own scenes")] = None,
    quick: Annotated[bool, typer.Option(help="two scenes, few attacks, few windows: a minute or two")] = False,
    seconds: Annotated[float, typer.Option(min=2.0, help="of each scene")] = 10.0,
    height: Annotated[int, typer.Option(min=160, help="of the pictures, which are 16:9")] = 540,
    windows: Annotated[int, typer.Option(min=1, help="unmarked windows, over all scenes")] = 10_500,
    processes: Annotated[int, typer.Option(min=1, help="scenes at once")] = 2,
) -> None:
    """Print what the mark survives and what it costs."""
    scenes = films_in(films) if films else own_scenes()
    attacks: Sequence[Attack] = ATTACKS
    if quick:
        scenes, windows = scenes[:2], min(windows, 200)
        attacks = tuple(each for each in ATTACKS if each.name in QUICK)
    work = partial(measured, seconds=seconds, height=height, attacks=attacks, windows=-(-windows // len(scenes)))
    with workers(processes) as pool:
        running = [pool.submit(work, scene) for scene in scenes]
        for done in as_completed(running):
            log.info("%s", done.result().told())
        results = [done.result() for done in running]
    for line in tables(results):
        print(line)


if __name__ == "__main__":
    main("marks", command, level=logging.INFO)
