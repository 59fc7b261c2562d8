"""What a run leaves in Prefect: a table of the stages and the metrics of what was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.markdown import plainly
from flows.pages.lineage import show_lineage
from flows.pages.shown import link_results
from flows.pipeline import Pipeline
from stages.artifacts.files import read_facts
from stages.problems import Problem

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
    """The metrics files of these stages as one table in Markdown, a row a value; empty without any.

    What can not be read is left out: its stage's row tells that.
    """
    lines = []
    for address in addresses:
        with suppress(Problem):
            figures = metrics_of(pipeline, address)
            lines += [f"| {plainly(address)} | {plainly(name)} | {value:.6g} |" for name, value in figures]
    return "\n".join(["| stage | metric | value |", "|---|---|---:|", *lines]) if lines else ""


def metrics_of(pipeline: Pipeline, address: str) -> list[tuple[str, float]]:
    """The numbers in a stage's metrics files that are there, as (dotted name, value).

    Raises:
        Problem: one is no JSON object.
    """
    files = [pipeline.root / path for path in pipeline.graph.nodes[address]["metrics"]]
    return [number for file in files if file.is_file() for number in flattened(read_facts(file))]


def flattened(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of nested mappings as (dotted name, value); what is no number is left out."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{before}{name}.")
        elif isinstance(value, (int, float)):
            yield f"{before}{name}", float(value)
