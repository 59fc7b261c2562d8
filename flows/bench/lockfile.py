"""What it costs DVC that many stages share one dvc.yaml and dvc.lock: reading it, and entering one result."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.bench.noop import generate
from flows.pipeline import Pipeline
from flows.remote import entries


@dataclass(frozen=True)
class Cost:
    """Of a repository with so many stages.

    Attributes:
        stages: how many.
        reading: seconds of the processor to read the graph.
        entering: seconds of the processor to enter what one stage made.
        bytes: of dvc.lock.
    """

    stages: int
    reading: float
    entering: float
    bytes: int


def costs(source: Path, swaps: Sequence[int]) -> list[Cost]:
    """Measure generated repositories of this project's graph, with so many swaps each.

    Args:
        source: this project.
        swaps: at least 2 each, two to a pair.
    """
    return [_cost(source, number) for number in swaps]


def _cost(source: Path, swaps: int) -> Cost:
    with tempfile.TemporaryDirectory(prefix="likeness-scale-") as folder:
        root = Path(folder).resolve() / "project"
        stages = generate(source, root, swaps)
        begin = time.process_time()
        pipeline = Pipeline.load(root)
        read = time.process_time()
        address = next(each for each in pipeline.graph if each.startswith("training@"))
        entry = copy.deepcopy(entries.read(root, [address])[address])
        entry["outs"][0]["md5"] = "0" * 32
        before = time.process_time()
        entries.put(root, {address: entry})
        return Cost(stages, read - begin, time.process_time() - before, (root / entries.LOCK).stat().st_size)
