"""The lineage of deliverables as artifacts: a drawing that Prefect's pages show, and the tree as text."""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import chdir
from typing import TYPE_CHECKING, Final

from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger
from rich.console import Console

from flows.lineage.drawing import mermaid, thinned
from flows.lineage.graph import graph_of
from flows.lineage.trace import Trace, trace
from flows.lineage.tree import as_tree
from flows.pages.keys import key_of
from flows.pages.shown import MADE
from flows.pipeline import Pipeline
from stages.problems import Problem

if TYPE_CHECKING:
    from flows.reproduction import Row

DELIVERING: Final = "encoding"
WIDTH: Final = 76
MOST_EDGES: Final = 500
MOST_CHARACTERS: Final = 50_000
"""Mermaid refuses to draw more."""


def show_lineage(pipeline: Pipeline, rows: Iterable[Row]) -> None:
    """Make an artifact of the lineage of each deliverable that a run made.

    Args:
        pipeline: as it is after the run.
        rows: how its stages ended.
    """
    for row in rows:
        kind, _, item = row.address.partition("@")
        outputs = pipeline.outputs(row.address)
        if kind != DELIVERING or row.ending not in MADE or not outputs:
            continue
        path = outputs[0][0]
        try:
            with chdir(pipeline.root):  # DVC names what has changed from where it is
                found = trace(pipeline.root, path)
        except Problem as problem:
            get_run_logger().warning("no lineage is shown of %s: %s", path, problem)
            continue
        create_markdown_artifact(page(found), key=key_of("lineage", item), description=f"Where {path} came from.")


def page(found: Trace) -> str:
    """The drawing and the tree in Markdown."""
    # the page is narrow, and draws to its width
    graph = thinned(graph_of(found))
    drawn = mermaid(graph, "TB")
    if len(graph.edges) > MOST_EDGES or len(drawn) > MOST_CHARACTERS:
        drawing = "The drawing is too large for this page."
    else:
        drawing = f"```mermaid\n{drawn}```"
    text = io.StringIO()
    Console(file=text, width=WIDTH, color_system=None).print(as_tree(found))
    more = f"`likeness lineage {found.path} --html lineage.html` makes a page with pictures and settings."
    return f"{drawing}\n\n```text\n{text.getvalue()}```\n\n{more}\n"
