"""What there is to do for a selection in a clone that need not hold the data."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import networkx as nx

from flows.children import Children
from flows.pipeline import Pipeline, Plan, Selection, in_order, opened
from flows.remote import clones, entries, transfer
from flows.remote.transfer import Logger


def plan(root: Path, selection: Selection, remote: str) -> Plan:
    """The stages to make, by what dvc.lock has and whatever lies here.

    Raises:
        Problem: an unknown name or remote, files that differ from the commit, or a pipeline that DVC can not read.
    """
    transfer.require(root, remote)
    with opened(root) as repo:
        pipeline = Pipeline.of(root, repo)
        graph = pipeline.chosen(selection)
        clones.revision_of(root, entries.tracked_results(repo))
        return Plan(pipeline, graph, in_order(graph, entries.stale(repo, graph)))


def look_at(root: Path, addresses: Collection[str]) -> tuple[Pipeline, dict[str, list[str]]]:
    """As :func:`flows.pipeline.look_at`, where data may be missing."""
    with opened(root) as repo:
        found = {address: ["not as its inputs and settings are"] for address in entries.stale(repo, addresses)}
        return Pipeline.of(root, repo), found


def push_inputs(made: Plan, remote: str, children: Children, logger: Logger) -> None:
    """Push what the stages to make read and no stage of the plan makes: it may lie here only."""
    read = {before for stage in made.stages for before in made.graph.predecessors(stage)} - set(made.stages)
    kept = sorted(address for address in read if made.graph.nodes[address]["kept"])
    transfer.transfer("push", kept, remote, made.pipeline.root, children, logger)


def pull_results(made: Plan, ended: Collection[str], remote: str, children: Children, logger: Logger) -> None:
    """Pull what a user asked for: deliverables, and what nothing of the chosen stages reads.

    Args:
        made: the plan.
        ended: the stages that ended well.
        remote: the DVC remote.
        children: what DVC becomes one of.
        logger: told of it.
    """
    graph: nx.DiGraph[str] = made.graph
    results = [each for each in graph if not graph.out_degree(each) or each.partition("@")[0] == "encoding"]
    wanted = sorted(each for each in results if each in ended and graph.nodes[each]["kept"])
    transfer.transfer("pull", wanted, remote, made.pipeline.root, children, logger)
