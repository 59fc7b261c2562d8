"""``python -m flows.bench.scale``: what many hours and pairs take, by what the project's own results and stages take.

A model, not a measurement: it multiplies. What was measured, and how it is multiplied, it prints first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from flows.bench import lockfile
from flows.bench.footprint import UNITS, Footage, Footprint, Unit, footprints
from flows.bench.lockfile import Cost
from flows.bench.timing import processor_seconds
from flows.environment import find_root, prepare
from stages.problems import Problem
from stages.program import tell
from stages.settings import load_params

GIGA: Final = 1e9
TERA: Final = 1e12

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    hours: Annotated[float, typer.Option(min=0, help="of footage; as many are swapped")] = 10_000,
    pairs: Annotated[int, typer.Option(min=0, help="each is trained once")] = 1_000,
    clip_minutes: Annotated[float, typer.Option(min=0.1, help="length of a clip")] = 30,
    width: Annotated[int, typer.Option(min=1)] = 1920,
    height: Annotated[int, typer.Option(min=1)] = 1080,
    rate: Annotated[float, typer.Option(min=1, help="frames a second")] = 25,
    training_hours: Annotated[float, typer.Option(min=0, help="of one GPU for a pair: yours to say")] = 12,
    days: Annotated[float, typer.Option(min=0.1, help="in which all of it is to be done")] = 30,
    swap: Annotated[str | None, typer.Option(help="run its stages again to time them; the first, if not named")] = None,
    swaps: Annotated[str, typer.Option(help="swaps of generated repositories, to measure DVC on")] = "10,50",
) -> None:
    """Print what a unit takes, what all of it takes, and what one dvc.lock bears."""
    try:
        root = find_root()
        prepare(root)
        timed = processor_seconds(root, swap or next(iter(load_params().swaps)))
        found = footprints(root, Footage(width, height, rate), hours / max(1, pairs), timed)
        many = {"hour of footage": hours, "pair": float(pairs), "hour of swaps": hours}
        print(
            f"One unit, of {width} x {height} at {rate:g} frames a second, scaled from what dvc.lock has and from what"
        )
        print(f"the stages of one swap took; a pair has {hours / max(1, pairs):g} hours of footage:\n")
        _tell_units(found)
        clips = math.ceil(hours * 60 / clip_minutes)
        count = {"hour of footage": clips, "pair": pairs, "hour of swaps": clips}
        stages = sum(count[each.unit] for each in found.values())
        print(f"\n{hours:g} hours of footage in {clips} clips, swapped once each, and {pairs} pairs:\n")
        _tell_all(found, many, days, pairs * training_hours)
        measured = lockfile.costs(root, [int(each) for each in swaps.split(",")])
        print("\nOne dvc.yaml and dvc.lock, generated repositories of this graph:\n")
        _tell_lock(measured, stages)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


def _tell_units(found: dict[str, Footprint]) -> None:
    print("| stage | a unit | keeps | reads | of a processor |")
    print("|---|---|---:|---:|---:|")
    for kind, each in found.items():
        takes = "not timed" if each.seconds is None else f"{each.seconds / 3600:.2f} h"
        print(f"| `{kind}` | {each.unit} | {each.kept / GIGA:.3f} GB | {each.read / GIGA:.3f} GB | {takes} |")


def _tell_all(found: dict[str, Footprint], many: dict[str, float], days: float, training: float) -> None:
    units: dict[Unit, list[Footprint]] = {unit: [] for unit in UNITS.values()}
    for each in found.values():
        units[each.unit].append(each)
    kept = {unit: many[unit] * sum(each.kept for each in stages) for unit, stages in units.items()}
    per_hour = sum(each.kept for each in units["hour of footage"])
    moved = sum(many[each.unit] * (each.kept + each.read) for each in found.values())
    on_one = (
        sum(kept.values()) + many["pair"] * sum(each.read for each in units["pair"]) + many["hour of swaps"] * per_hour
    )
    timed = {kind: each.seconds for kind, each in found.items() if kind != "training" and each.seconds is not None}
    work = sum(many[found[kind].unit] * seconds for kind, seconds in timed.items()) / 3600
    untimed = [kind for kind in found if kind not in timed and kind != "training"]
    seconds = days * 86_400
    print("| what | how much |")
    print("|---|---:|")
    for unit, amount in kept.items():
        print(f"| kept, for all that is by {unit} | {amount / TERA:.1f} TB |")
    print(f"| kept, together | {sum(kept.values()) / TERA:.1f} TB |")
    print(f"| moved, if no worker has anything in its cache | {moved / TERA:.1f} TB |")
    print(f"| network for that in {days:g} days | {moved * 8 / seconds / GIGA:.2f} Gbit/s |")
    print(f"| moved, if one machine makes all of a clip, and one all of a swap | {on_one / TERA:.1f} TB |")
    print(f"| network for that in {days:g} days | {on_one * 8 / seconds / GIGA:.2f} Gbit/s |")
    print(f"| processors at work for {days:g} days, without training | {work * 3600 / seconds:.0f} ({work:.0f} h) |")
    if untimed:
        print(f"| not in that, for want of a time | {', '.join(untimed)} |")
    print(f"| GPUs at work for {days:g} days on training | {training * 3600 / seconds:.1f} ({training:.0f} h) |")


def _tell_lock(measured: Sequence[Cost], stages: int) -> None:
    print("| stages | dvc.lock | reading the graph | entering one result |")
    print("|---:|---:|---:|---:|")
    for cost in measured:
        size = f"{cost.bytes / 1e6:.2f} MB"
        print(f"| {cost.stages} | {size} | {cost.reading:.2f} s of CPU | {cost.entering:.2f} s of CPU |")
    each = [cost.entering / cost.stages for cost in measured]
    print(f"\n{stages} stages in all. Entering them one by one, in repositories of so many stages each, takes:\n")
    print("| stages in a repository | repositories | hours of CPU in each | hours of CPU in all |")
    print("|---:|---:|---:|---:|")
    for cost in measured:
        repositories = math.ceil(stages / cost.stages)
        own = cost.stages * cost.entering / 3600
        print(f"| {cost.stages} | {repositories} | {own:.2f} | {own * repositories:.0f} |")
    own = stages * stages * each[-1] / 3600
    print(f"| {stages} | 1 | {own:.0f}, if it goes on as from the last row | {own:.0f} |")


if __name__ == "__main__":
    app(prog_name="python -m flows.bench.scale")
