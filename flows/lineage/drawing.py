"""A graph in the languages of other tools: Mermaid, which GitHub and many wikis draw, and Graphviz's DOT."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

import networkx as nx
import pydot

from flows.lineage.graph import Graph, Node, NodeKind

COLOURS: Final[dict[NodeKind, str]] = {
    "step": "#dbe9f6",
    "clip": "#d9f0d3",
    "consent": "#fde0c5",
    "pack": "#e7e1ef",
    "file": "#eeeeee",
    "asked": "#fff3b0",
}
STALE: Final = "#c0392b"

_MERMAID: Final[dict[NodeKind, tuple[str, str]]] = {
    "step": ("[", "]"),
    "clip": ("[(", ")]"),
    "consent": ("{{", "}}"),
    "pack": ("[(", ")]"),
    "file": ("[(", ")]"),
    "asked": ("([", "])"),
}
_DOT: Final[dict[NodeKind, str]] = {
    "step": "box",
    "clip": "cylinder",
    "consent": "hexagon",
    "pack": "cylinder",
    "file": "note",
    "asked": "ellipse",
}


def mermaid(graph: Graph, direction: Literal["LR", "TB"] = "LR") -> str:
    """A flowchart, from left to right or from top to bottom; what is stale has a red border."""
    names = {node.key: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = [f"flowchart {direction}"]
    for node in graph.nodes:
        left, right = _MERMAID[node.kind]
        lines.append(f'    {names[node.key]}{left}"{_escaped(node.title)}"{right}:::{node.kind}')
    lines += [f"    {names[edge.origin]} --> {names[edge.target]}" for edge in graph.edges]
    lines += [f"    classDef {kind} fill:{colour},color:#222,stroke:#888" for kind, colour in COLOURS.items()]
    stale = [names[node.key] for node in graph.nodes if node.stale]
    if stale:
        lines += [f"    classDef stale stroke:{STALE},stroke-width:3px", f"    class {','.join(stale)} stale"]
    return "\n".join(lines) + "\n"


def thinned(graph: Graph) -> Graph:
    """Without the edges that only repeat a longer way: what is used by a step is used by all that follow from it."""
    ways = nx.transitive_reduction(nx.DiGraph([(edge.origin, edge.target) for edge in graph.edges]))
    return replace(graph, edges=tuple(edge for edge in graph.edges if ways.has_edge(edge.origin, edge.target)))


def dot(graph: Graph) -> str:
    """A digraph for Graphviz; what is stale has a red border."""
    drawn = pydot.Dot("lineage", graph_type="digraph", rankdir="LR")
    for node in graph.nodes:
        drawn.add_node(
            pydot.Node(
                _quoted(node.key),
                label=_quoted(node.title),
                tooltip=_quoted(_told(node)),
                shape=_DOT[node.kind],
                style="filled",
                fillcolor=_quoted(COLOURS[node.kind]),
                color=_quoted(STALE if node.stale else "#888888"),
            )
        )
    for edge in graph.edges:
        drawn.add_edge(pydot.Edge(_quoted(edge.origin), _quoted(edge.target), tooltip=_quoted("\n".join(edge.paths))))
    return str(drawn.to_string())


def _told(node: Node) -> str:
    return "\n".join(f"{name}: {value}" for name, value in node.facts)


def _quoted(text: str) -> str:
    """A DOT string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """For a quoted label of Mermaid, which knows entities."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
