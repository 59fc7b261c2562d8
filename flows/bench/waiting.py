"""A project whose stages wait instead of work, and the schedule that none can beat."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import networkx as nx
import yaml

SECONDS: Final = {
    "extraction": 40,
    "detection": 30,
    "training": 120,
    "conversion": 40,
    "compositing": 60,
    "encoding": 30,
}
"""How long a stage of each kind waits, at the bench's scale of 1."""

READS: Final = {
    "extraction": ("clips", ()),
    "detection": ("clips", ("data/extraction/${key}.txt",)),
    "training": ("pairs", ("data/detection/${item.a}.txt", "data/detection/${item.b}.txt")),
    "conversion": ("swaps", ("data/training/${item.pair}.txt", "data/detection/${item.clip}.txt")),
    "compositing": ("swaps", ("data/conversion/${key}.txt", "data/extraction/${item.clip}.txt")),
    "encoding": ("swaps", ("data/compositing/${key}.txt",)),
}
"""The shape of the real graph: kind -> section of params.yaml, and what it reads."""


def generate(place: Path, swaps: int, scale: float) -> None:
    """Write dvc.yaml, params.yaml and the clips; one person is swapped with each of the others, both ways.

    Args:
        place: an empty folder.
        swaps: how many, two to a pair.
        scale: the stages wait so many times :data:`SECONDS`.
    """
    others = [f"p{number}" for number in range((swaps + 1) // 2)]
    sections: dict[str, dict[str, dict[str, str]]] = {
        "clips": {clip: {"path": f"clips/{clip}.txt"} for clip in ("lead", *others)},
        "pairs": {f"lead-{other}": {"a": "lead", "b": other} for other in others},
        "swaps": {},
    }
    for number in range(swaps):
        other = others[number // 2]
        sections["swaps"][f"s{number}"] = {"pair": f"lead-{other}", "clip": other if number % 2 == 0 else "lead"}
    stages: dict[str, Any] = {}
    for kind, (section, reads) in READS.items():
        inputs = ["${item.path}"] if kind == "extraction" else list(reads)
        out = f"data/{kind}/${{key}}.txt"
        command = f"sleep {SECONDS[kind] * scale:g} && mkdir -p data/{kind} && cat {' '.join(inputs)} > {out}"
        # two swaps of a clip must not have equal files: they would be one object of the cache
        command += " && echo ${key} >> " + out
        stages[kind] = {"foreach": f"${{{section}}}", "do": {"cmd": command, "deps": inputs, "outs": [out]}}
    (place / "clips").mkdir(parents=True)
    for clip in sections["clips"]:
        (place / "clips" / f"{clip}.txt").write_text(f"{clip}\n", encoding="utf-8")
    (place / "params.yaml").write_text(yaml.safe_dump(sections), encoding="utf-8")
    (place / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False), encoding="utf-8")
    (place / ".gitignore").write_text("/data/\n/.prefect/\n", encoding="utf-8")


def ideal(graph: nx.DiGraph[str], seconds: Mapping[str, float], workers: int) -> float:
    """How long the stages take on workers that lose no time, each free one taking the stage with most time behind it.

    Args:
        graph: an edge from each stage to those that read what it makes.
        seconds: of each stage.
        workers: how many.
    """
    behind: dict[str, float] = {}
    for address in reversed(list(nx.topological_sort(graph))):
        behind[address] = seconds[address] + max((behind[each] for each in graph.successors(address)), default=0.0)
    missing = {address: graph.in_degree(address) for address in graph}
    ready = [(-behind[address], address) for address in graph if not missing[address]]
    heapq.heapify(ready)
    at_work: list[tuple[float, str]] = []
    now = 0.0
    while ready or at_work:
        while ready and len(at_work) < workers:
            _, address = heapq.heappop(ready)
            heapq.heappush(at_work, (now + seconds[address], address))
        now, ended = heapq.heappop(at_work)
        for after in graph.successors(ended):
            missing[after] -= 1
            if not missing[after]:
                heapq.heappush(ready, (-behind[after], after))
    return now
