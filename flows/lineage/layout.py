"""Places for the nodes of a graph: columns from left to right, within each near to what they are joined to.

The method of Sugiyama et al. 1981 in its simplest form: longest paths give columns, sweeps of barycentres the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import networkx as nx

from flows.lineage.graph import Graph

SWEEPS: Final = 8


@dataclass(frozen=True)
class Place:
    """Where a node's box is drawn, in pixels from the drawing's top left corner."""

    x: float
    y: float
    width: float
    height: float


def placed(
    graph: Graph, heights: Mapping[str, float], *, width: float, across: float, between: float
) -> dict[str, Place]:
    """A place for each node.

    Args:
        graph: without circles.
        heights: of each node's box.
        width: of all boxes.
        across: from one column to the next.
        between: from one box to the next in a column.
    """
    net: nx.DiGraph[str] = nx.DiGraph()
    net.add_nodes_from(node.key for node in graph.nodes)
    net.add_edges_from((edge.origin, edge.target) for edge in graph.edges)
    columns = _columns(net)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        neighbours = net.pred if forth else net.succ
        position = {key: number / max(len(keys), 1) for keys in columns for number, key in enumerate(keys)}
        for keys in columns if forth else reversed(columns):
            keys.sort(key=lambda key: _mean([position[each] for each in neighbours[key]], position[key]))
            position |= {key: number / len(keys) for number, key in enumerate(keys)}
    tallest = max(sum(heights[key] + between for key in keys) for keys in columns)
    places = {}
    for number, keys in enumerate(columns):
        y = (tallest - sum(heights[key] + between for key in keys)) / 2 + between / 2
        for key in keys:
            places[key] = Place(number * (width + across), y, width, heights[key])
            y += heights[key] + between
    return places


def _columns(net: nx.DiGraph[str]) -> list[list[str]]:
    """The nodes by the longest path to them; what nothing leads to stands just before what uses it first."""
    column: dict[str, int] = {}
    for key in nx.topological_sort(net):
        column[key] = max((column[each] + 1 for each in net.pred[key]), default=0)
    for key in net:
        if not net.pred[key] and net.succ[key]:
            column[key] = min(column[each] for each in net.succ[key]) - 1
    columns: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
    for key, number in column.items():
        columns[number].append(key)
    return columns


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
