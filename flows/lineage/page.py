"""Lineage as one HTML page with everything in it: it works offline, and without scripts still shows the graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from flows.lineage.drawing import COLOURS
from flows.lineage.graph import Graph, Node
from flows.lineage.layout import Place, placed
from flows.lineage.pictures import picture_of

WIDTH: Final = 240.0
BAR: Final = 34.0
"""Height of a node without a picture."""

PICTURE: Final = 135.0
LONGEST: Final = 31
"""So many characters of a title fit into a node; of a longer one the end tells more than the beginning."""


@dataclass(frozen=True)
class _Box:
    """A node as the template draws it."""

    node: Node
    place: Place
    picture: str | None

    @property
    def label(self) -> str:
        """The title, cut to fit."""
        title = self.node.title
        return title if len(title) <= LONGEST else f"…{title[-LONGEST + 1 :]}"


def page(graph: Graph, root: Path, about: dict[str, str]) -> str:
    """The page.

    Args:
        graph: what it shows.
        root: the repository's folder, where pictures are looked for.
        about: more to tell at its head, name -> value.
    """
    pictures = {node.key: picture_of(root, node.outputs) for node in graph.nodes}
    heights = {node.key: BAR + (PICTURE if pictures.get(node.key) else 0.0) for node in graph.nodes}
    places = placed(graph, heights, width=WIDTH, across=60.0, between=18.0)
    boxes = [_Box(node, places[node.key], pictures.get(node.key)) for node in graph.nodes]
    edges = [
        {
            "origin": edge.origin,
            "target": edge.target,
            "paths": edge.paths,
            "curve": _curve(places, edge.origin, edge.target),
        }
        for edge in graph.edges
    ]
    environment = Environment(
        loader=PackageLoader("flows.lineage", "."),
        autoescape=select_autoescape(["html", "j2"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        title=graph.title,
        about=about,
        boxes=boxes,
        edges=edges,
        colours=COLOURS,
        width=max(place.x + place.width for place in places.values()),
        height=max(place.y + place.height for place in places.values()),
        bar=BAR,
        data=_data(graph),
    )


def _curve(places: dict[str, Place], origin: str, target: str) -> str:
    """An SVG path from the right side of one box to the left side of the other."""
    left, right = places[origin], places[target]
    x0, y0 = left.x + left.width, left.y + left.height / 2
    x1, y1 = right.x, right.y + right.height / 2
    bend = max(40.0, (x1 - x0) / 2)
    return f"M{x0:.0f},{y0:.0f} C{x0 + bend:.0f},{y0:.0f} {x1 - bend:.0f},{y1:.0f} {x1:.0f},{y1:.0f}"


def _data(graph: Graph) -> dict[str, Any]:
    """What the page's script needs: facts by node, and who leads to whom."""
    return {
        "nodes": {
            node.key: {"title": node.title, "kind": node.kind, "facts": node.facts, "stale": node.stale}
            for node in graph.nodes
        },
        "edges": [[edge.origin, edge.target] for edge in graph.edges],
    }
