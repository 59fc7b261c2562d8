"""What one hour of footage, one pair and one hour of swaps take, by what the project's own runs took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import mean
from types import MappingProxyType
from typing import Final, Literal

import yaml

from flows.pipeline import Pipeline
from flows.remote import entries
from stages.problems import Problem
from stages.video import open_clip, video_stream

Unit = Literal["hour of footage", "pair", "hour of swaps"]

UNITS: Final[Mapping[str, Unit]] = {"clips": "hour of footage", "pairs": "pair", "swaps": "hour of swaps"}
WHOLE_FRAMES: Final = frozenset({"extraction", "screening", "compositing", "encoding"})
"""Stages that go over all pixels of a frame; the others over its faces, whose crops have one size."""

OF_PIXELS: Final = WHOLE_FRAMES - {"screening"}
"""Stages whose artifacts grow with a frame's pixels; of what was looked at, cells are kept, the same number of each."""


@dataclass(frozen=True)
class Footage:
    """What the figures are for: frames of a size, so many a second."""

    width: int
    height: int
    rate: float


@dataclass(frozen=True)
class Footprint:
    """What a kind of stage takes for one unit.

    Attributes:
        unit: of what.
        kept: bytes of its results.
        read: bytes of other stages' results that it reads.
        seconds: of a processor; None where no run of it was timed.
    """

    unit: Unit
    kept: float
    read: float
    seconds: float | None


@dataclass(frozen=True)
class _Clip:
    frames: int
    pixels: int


@dataclass(frozen=True)
class _Made:
    path: str
    size: int
    kind: str
    item: str


def footprints(
    root: Path, wanted: Footage, pair_hours: float, timed: Mapping[str, float] = MappingProxyType({})
) -> dict[str, Footprint]:
    """By kind of stage, in their order: the mean of what dvc.lock has and of what was timed, scaled to a unit.

    Bytes and seconds of stages over whole frames are taken as proportional to pixels, those of others to frames.

    Args:
        root: the project's folder, with its clips.
        wanted: what footage the units are of.
        pair_hours: of footage of a pair's two people, together.
        timed: seconds of a processor that stages took, by address.

    Raises:
        Problem: nothing has been made yet, or a clip is not there.
    """
    pipeline, settings = Pipeline.load(root), yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    locked = entries.read(root, set(pipeline.graph))
    if not locked:
        raise Problem("nothing has been made yet", where=root / entries.LOCK, mend="make demo")
    clips = {name: _clip(root / clip["path"]) for name, clip in settings["clips"].items()}
    made = [
        _Made(out["path"], out.get("size", 0), address.partition("@")[0], address.partition("@")[2])
        for address, entry in locked.items()
        for out in entry["outs"]
    ]
    by_swap = pipeline.sections.get("swaps", [])
    found: dict[str, list[Footprint]] = defaultdict(list)
    for section, unit in UNITS.items():
        for kind in pipeline.sections.get(section, []):
            for item, facts in settings[section].items():
                address = f"{kind}@{item}"
                if address not in locked:
                    continue
                clip = item if section == "clips" else facts.get("clip")
                footage = clips.get(str(clip))
                size, time = (_factor(kind in by_pixels, footage, wanted) for by_pixels in (OF_PIXELS, WHOLE_FRAMES))
                deps = [dep["path"] for dep in locked[address].get("deps", [])]
                share = pair_hours / 2 if unit == "pair" else 1.0
                read = 0.0
                for one in made:
                    if any(one.path == dep or one.path.startswith(f"{dep}/") for dep in deps):
                        of_clip = one.item if one.item in clips else str(clip) if one.kind in by_swap else ""
                        factor = _factor(one.kind in OF_PIXELS, clips.get(of_clip), wanted)
                        read += one.size * factor * (share if of_clip else 1.0)
                kept = sum(out.get("size", 0) for out in locked[address]["outs"])
                seconds = timed.get(address)
                found[kind].append(Footprint(unit, kept * size, read, None if seconds is None else seconds * time))
    return {kind: _mean(each) for kind, each in found.items()}


def _factor(by_pixels: bool, clip: _Clip | None, wanted: Footage) -> float:
    """What was measured on a clip, times this, is what an hour takes; what is by no clip is as it is."""
    if clip is None:
        return 1.0
    frames = 3600 * wanted.rate / clip.frames
    return frames * wanted.width * wanted.height / clip.pixels if by_pixels else frames


def _mean(each: list[Footprint]) -> Footprint:
    seconds = [one.seconds for one in each if one.seconds is not None]
    kept, read = mean(one.kept for one in each), mean(one.read for one in each)
    return Footprint(each[0].unit, kept, read, mean(seconds) if seconds else None)


def _clip(path: Path) -> _Clip:
    with open_clip(path) as container:
        stream = video_stream(container, path)
        rate = stream.average_rate or Fraction(25)
        seconds = (container.duration or 0) / 1_000_000
        return _Clip(max(1, stream.frames or round(seconds * rate)), stream.width * stream.height)
