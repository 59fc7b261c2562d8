"""``python -m flows.bench.noop``: what it costs to see that nothing is to be done, beside ``dvc status``.

The repository is generated: this project's dvc.yaml over many swaps, whose artifacts are small files that say nothing;
no stage runs. Each command is timed several times; the least wall and processor time of each counts.

What a stage that does run costs beside its own work is measured on stages of one line of shell beside them: a run with
all of them stale, less one with one, by their number; of the flow, and of plain ``dvc repro``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml
from dvc.stage.serialize import to_single_stage_lockfile
from dvc.utils.serialize import dump_yaml

from flows.bench.project import SAMPLES, copy_tracked, keep
from flows.environment import find_root, prepare
from flows.lineage.records import LOCK
from flows.pipeline import opened
from flows.server import running_server
from stages.problems import Problem
from stages.program import tell

PYTHON: Final = sys.executable
STATUS: Final = (PYTHON, "-m", "dvc", "status")
REPRO: Final = (PYTHON, "-m", "dvc", "repro")
EVERYWHERE: Final = (*REPRO, "--all-pipelines")
"""The short stages' dvc.yaml is another one."""
RUN: Final = (PYTHON, "-m", "flows.command", "run")
FLOW: Final = (PYTHON, "-c", "from flows.reproduction import reproduce; reproduce(jobs=1)")
SHORT_STAGES: Final = 25
"""So many that what one run takes by chance does not count."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, and of all processors."""

    wall: float
    cpu: float


@app.command()
def main(
    swaps: Annotated[int, typer.Option(min=2, help="how many swaps, two to a pair")] = 50,
    repeats: Annotated[int, typer.Option(min=1, help="how often each command is timed")] = 3,
) -> None:
    """Print what status, repro and the flow cost where all is up to date, and beside a stage that runs."""
    try:
        source = find_root()
        with tempfile.TemporaryDirectory(prefix="likeness-noop-") as folder:
            _measure(source, Path(folder).resolve() / "project", swaps, repeats)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


def generate(source: Path, root: Path, swaps: int) -> int:
    """Make the repository, with everything up to date.

    Args:
        source: this project.
        root: where to.
        swaps: how many, two to a pair.

    Returns:
        The number of its stages.
    """
    copy_tracked(source, root, SAMPLES)
    raw: dict[str, Any] = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    raw |= {"performers": {}, "performances": {}, "truths": {}, "companions": {}}
    raw |= {section: {} for section in ("identities", "clips", "pairs", "swaps")}
    for number in range(swaps // 2):
        one, other = f"a{number:03}", f"b{number:03}"
        pair = f"{one}-{other}"
        for name in (one, other):
            raw["identities"][name] = {}
            raw["clips"][name] = {"identity": name, "path": f"data/footage/{name}.mp4"}
            _put(root / f"data/footage/{name}.mp4")
            _put(root / f"data/consent/{name}.yaml")
        raw["pairs"][pair] = {"a": one, "b": other}
        for source_name, target in ((one, other), (other, one)):
            swap = {"pair": pair, "source": source_name, "target": target, "clip": target, "truth": "none"}
            raw["swaps"][f"{source_name}-on-{target}"] = swap
    (root / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    short = {"foreach": list(range(SHORT_STAGES)), "do": _SHORT}
    for number in range(SHORT_STAGES):
        _put(root / "short" / f"in-{number}.txt")
    (root / "short" / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"short": short}}), encoding="utf-8")
    (root / "short" / ".gitignore").write_text("/out-*\n", encoding="utf-8")
    keep(root, "begin", new=True)
    return _made(root)


_SHORT: Final[Mapping[str, Any]] = {
    "cmd": "cp in-${item}.txt out-${item}.txt",
    "deps": ["in-${item}.txt"],
    "outs": ["out-${item}.txt"],
}


def _put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{path.name}\n", encoding="utf-8")


def _made(root: Path) -> int:
    """Write every output and the dvc.lock that DVC would have written, in one go instead of stage by stage."""
    locks: dict[Path, dict[str, Any]] = {}
    with opened(root) as repo, repo.lock:
        for stage in repo.index.stages:
            for out in stage.outs:
                place = Path(out.fs_path)
                for file in [place] if place.suffix else [place / "facts.json", place / "shard-0000.bin"]:
                    if not file.exists():
                        file.parent.mkdir(parents=True, exist_ok=True)
                        text = json.dumps({"path": str(file.relative_to(root)), "stage": stage.addressing})
                        file.write_text(text, encoding="utf-8")
        for stage in repo.index.stages:
            stage.save(run_cache=False)
            stage.commit()
            entry = to_single_stage_lockfile(stage)
            locks.setdefault(Path(stage.path).with_name(LOCK), {})[stage.name] = entry
        count = len(repo.index.stages)
    for file, entries in locks.items():
        dump_yaml(str(file), {"schema": "2.0", "stages": entries})
    keep(root, "all made")
    return count


def cost(command: Sequence[str], root: Path, expect: str = "") -> Cost:
    """Run a command that must go well.

    Raises:
        Problem: it failed, or did not say what was expected.
    """
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    said = done.stdout + done.stderr
    if done.returncode != 0 or expect not in said:
        raise Problem(
            f"`{' '.join(command)}` did not go as expected: {said[-2000:]}", where=root, mend="mend that first"
        )
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def least(command: Sequence[str], root: Path, repeats: int, expect: str) -> Cost:
    """The least wall and processor time of several runs."""
    costs = [cost(command, root, expect) for _ in range(repeats)]
    return Cost(min(one.wall for one in costs), min(one.cpu for one in costs))


def _measure(source: Path, root: Path, swaps: int, repeats: int) -> None:
    os.environ["PYTHONPATH"] = str(source)
    count = generate(source, root, swaps)
    prepare(root)
    print(f"{swaps} swaps, {count} stages; {os.cpu_count()} processors, {os.getloadavg()[0]:.1f} of them busy before\n")
    print("| nothing to do | wall | to status | processor | to status |")
    print("|---|---:|---:|---:|---:|", flush=True)
    status = least(STATUS, root, repeats, "up to date")
    _tell("dvc status", status, status)
    repro = least(REPRO, root, repeats, "up to date")
    _tell("dvc repro", repro, status)
    _tell("likeness run", least(RUN, root, repeats, "nothing to do"), status)
    with running_server() as address:
        os.environ["PREFECT_API_URL"] = address
        idle = least(FLOW, root, repeats, "nothing to do")
        _tell("the flow, as a server runs it", idle, status)
        print("\n| a stage that runs, beside its work | wall | processor |\n|---|---:|---:|", flush=True)
        for name, command in (("dvc repro", EVERYWHERE), ("the flow", FLOW)):
            one, all_ = (_with_stale(count, name, command, root) for count in (1, SHORT_STAGES))
            wall, cpu = (
                (more - less) / (SHORT_STAGES - 1) for more, less in ((all_.wall, one.wall), (all_.cpu, one.cpu))
            )
            print(f"| {name} | {wall:.2f} s | {cpu:.2f} s |", flush=True)


def _with_stale(count: int, content: str, command: Sequence[str], root: Path) -> Cost:
    for number in range(count):
        (root / "short" / f"in-{number}.txt").write_text(f"{content}, {count}\n", encoding="utf-8")
    return cost(command, root)


def _tell(name: str, found: Cost, status: Cost) -> None:
    to_wall, to_cpu = found.wall / status.wall, found.cpu / status.cpu
    print(f"| {name} | {found.wall:.1f} s | {to_wall:.2f} | {found.cpu:.1f} s | {to_cpu:.2f} |", flush=True)


if __name__ == "__main__":
    app(prog_name="python -m flows.bench.noop")
