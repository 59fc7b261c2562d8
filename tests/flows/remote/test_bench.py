"""What the benches of many workers and many hours count with."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest

from flows.bench.footprint import Footage, footprints
from flows.bench.waiting import READS, SECONDS, generate, ideal
from flows.pipeline import Pipeline
from tests.conftest import REPOSITORY
from tests.flows.conftest import dvc, run


def test_the_ideal_schedule_of_small_graphs() -> None:
    chain: nx.DiGraph[str] = nx.DiGraph([("a", "b"), ("b", "c")])
    assert ideal(chain, {"a": 1, "b": 2, "c": 3}, 4) == 6
    apart: nx.DiGraph[str] = nx.DiGraph()
    apart.add_nodes_from("abcd")
    assert ideal(apart, dict.fromkeys("abcd", 5.0), 2) == 10
    assert ideal(apart, dict.fromkeys("abcd", 5.0), 4) == 5
    # the stage with most behind it goes first
    fork: nx.DiGraph[str] = nx.DiGraph([("long", "after")])
    fork.add_node("alone")
    assert ideal(fork, {"alone": 4, "long": 3, "after": 5}, 1) == 12
    assert ideal(fork, {"alone": 4, "long": 3, "after": 5}, 2) == 8


def test_the_generated_project_is_one_that_dvc_reads(tmp_path: Path) -> None:
    root = tmp_path / "project"
    generate(root, swaps=4, scale=0.0)
    run("git", "init", "--quiet", cwd=root)
    dvc("init", "--quiet", cwd=root)
    graph = Pipeline.load(root).graph
    kinds = [address.partition("@")[0] for address in graph]
    assert {kind: kinds.count(kind) for kind in READS} == {
        "extraction": 3, "detection": 3, "training": 2, "conversion": 4, "compositing": 4, "encoding": 4,
    }  # fmt: skip
    assert set(SECONDS) == set(READS)
    assert nx.has_path(graph, "extraction@lead", "encoding@s3")


def test_an_hour_takes_what_its_frames_take() -> None:
    of_a_size = footprints(REPOSITORY, Footage(512, 512, 25.0), 2.0)
    twice = footprints(REPOSITORY, Footage(1024, 512, 25.0), 2.0)
    assert twice["extraction"].kept == pytest.approx(2 * of_a_size["extraction"].kept)
    assert twice["dataset"].kept == pytest.approx(of_a_size["dataset"].kept)
    assert twice["training"].kept == of_a_size["training"].kept
    assert footprints(REPOSITORY, Footage(512, 512, 25.0), 4.0)["training"].read > of_a_size["training"].read
