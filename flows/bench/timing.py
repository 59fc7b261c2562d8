"""What the stages of a swap take of a processor: each runs again, in a clone of the project."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import networkx as nx
import yaml

from flows.pipeline import Pipeline, Selection, opened
from flows.stage import environment
from stages.problems import Problem

NOT_TIMED: Final = frozenset({"training"})
"""What it takes depends on what is asked of it more than on footage."""


def processor_seconds(root: Path, swap: str) -> dict[str, float]:
    """Run the stages of a swap, of its pair and of its clip, one after another; address -> seconds of all threads.

    The clock would tell what other programs do, too. What the stages read is taken from the project's cache.

    Args:
        root: the project's folder, where the swap is made and committed.
        swap: which.

    Raises:
        Problem: a stage, git or DVC fails.
    """
    with tempfile.TemporaryDirectory(prefix="likeness-timing-") as folder, opened(root) as repo:
        clone = Path(folder).resolve() / "project"
        dvc = (sys.executable, "-m", "dvc")
        _run(root, "git", "clone", "--quiet", str(root), str(clone))
        _run(clone, *dvc, "cache", "dir", "--local", repo.cache.local_cache_dir)
        _run(clone, *dvc, "checkout", "--quiet", "--with-deps", f"evaluation@{swap}")
        pipeline = Pipeline.load(clone)
        facts = yaml.safe_load((clone / "params.yaml").read_text(encoding="utf-8"))["swaps"][swap]
        items = {"clips": facts["clip"], "pairs": facts["pair"], "swaps": swap}
        wanted = {f"{kind}@{item}" for section, item in items.items() for kind in pipeline.sections[section]}
        chosen = pipeline.chosen(Selection(swaps=(swap,)))
        kinds = (address.partition("@") for address in nx.lexicographical_topological_sort(chosen))
        return {
            f"{kind}@{item}": _stage(clone, kind, item)
            for kind, _, item in kinds
            if f"{kind}@{item}" in wanted and kind not in NOT_TIMED
        }


def _stage(clone: Path, kind: str, item: str) -> float:
    """A stage without what it takes to start: that does not grow with footage, and would be multiplied with it."""
    starting = _run(clone, sys.executable, "-c", f"import stages.{kind}.stage")
    return max(0.0, _run(clone, sys.executable, "-m", f"stages.{kind}", item) - starting)


def _run(folder: Path, *command: str) -> float:
    """Run a command; seconds of the processor that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise Problem(
            (done.stdout + done.stderr).strip(), where=" ".join(command), mend="make the swap and commit it first"
        )
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
