"""What a run leaves in Prefect: a table of the stages and the metrics of what was made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.pages.lineage import show_lineage
from flows.pages.shown import link_results
from flows.pipeline import Pipeline

if TYPE_CHECKING:
    from flows.reproduction import Row


def publish(pipeline: Pipeline, rows: Sequence[Row]) -> None:
    """Make the artifacts of this flow run: stages, metrics, and of what it made links and the lineage.

    Args:
        pipeline: as it is after the run.
        rows: how its stages ended.
    """
    table = [
        {
            "stage": row.address,
            "state": row.ending,
            "seconds": None if row.seconds is None else round(row.seconds, 1),
            "hash": row.md5,
            "reason": row.reason,
        }
        for row in rows
    ]
    create_table_artifact(key="stages", table=table, description="What became of each stage, and what it wrote.")
    metrics = metrics_table(pipeline, [row.address for row in rows])
    if metrics:
        create_markdown_artifact(key="metrics", markdown=metrics, description="What the evaluations measured.")
    link_results(pipeline, rows)
    show_lineage(pipeline, rows)


def metrics_table(pipeline: Pipeline, addresses: Sequence[str]) -> str:
    """The metrics files of these stages as one table in Markdown, a row a value; empty without any."""
    lines = []
    for address in addresses:
        for path in pipeline.graph.nodes[address]["metrics"]:
            file = pipeline.root / path
            if file.is_file():
                values = flattened(json.loads(file.read_text()))
                lines += [f"| {address} | {name} | {value:.6g} |" for name, value in values]
    return "\n".join(["| stage | metric | value |", "|---|---|---:|", *lines]) if lines else ""


def flattened(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of nested mappings as (dotted name, value); what is no number is left out."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{before}{name}.")
        elif isinstance(value, (int, float)):
            yield f"{before}{name}", float(value)
