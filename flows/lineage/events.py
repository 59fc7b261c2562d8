"""Lineage as OpenLineage events, which Marquez, DataHub and others take in: run, job and datasets of each step.

OpenLineage 2-0-2 (https://openlineage.io/spec). The same lineage gives the same events, run ids included, so that what
is sent twice is there once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from openlineage.client import set_producer
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    JobFacet,
    RunFacet,
    dataset_version_dataset,
    execution_parameters_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    processing_engine_run,
    source_code_job,
    source_code_location_job,
    tags_run,
)
from openlineage.client.serde import Serde
from openlineage.client.transport.http import HttpConfig, HttpTransport
from requests import RequestException

from flows.addresses import without_secrets
from flows.lineage.records import Artifact
from flows.lineage.snapshot import git
from flows.lineage.trace import Trace, TracedStep
from flows.lineage.tree import flat
from stages.problems import Problem

PRODUCER: Final = "urn:likeness"
RUNS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:likeness:run")


def events(trace: Trace, namespace: str) -> Iterator[RunEvent]:
    """An event that tells that a step was completed, for each step of a trace, in the order in which they ran.

    DVC does not note when a step ran, so an event has the time of the commit in which dvc.lock got the result, or the
    present one where that is not committed yet.

    Args:
        trace: what is told.
        namespace: of jobs and datasets, one for each project.
    """
    set_producer(PRODUCER)
    for traced in (*reversed(trace.steps), *trace.measured_by):
        step = traced.step
        result = " ".join(output.md5 for output in step.outputs)
        yield RunEvent(
            eventTime=_time(trace.snapshot.root, traced.code.recorded),
            producer=PRODUCER,
            eventType=RunState.COMPLETE,
            run=Run(str(uuid.uuid5(RUNS, f"{namespace} {step.stage} {result}")), _run_facets(traced)),
            job=Job(namespace, step.stage, _job_facets(trace.snapshot.root, traced)),
            inputs=[
                InputDataset(
                    namespace,
                    item.artifact.path,
                    {"inputStatistics": _read(item.artifact)},
                    facets=_version(item.artifact),
                )
                for item in traced.inputs
            ],
            outputs=[
                OutputDataset(namespace, output.path, {"outputStatistics": _written(output)}, facets=_version(output))
                for output in step.outputs
            ],
        )


def lines(told: Iterable[RunEvent]) -> str:
    """Events as JSON lines."""
    return "".join(f"{Serde.to_json(event)}\n" for event in told)


def send_events(url: str, told: Iterable[RunEvent]) -> int:
    """Send events to a server, such as http://localhost:5000 where Marquez listens; returns how many.

    Raises:
        Problem: the server does not take them.
    """
    transport = HttpTransport(HttpConfig(url=url, retry={"total": 0}))
    count = 0
    try:
        for event in told:
            transport.emit(event)
            count += 1
    except (RequestException, OSError, ValueError) as error:
        raise Problem(
            f"it does not take OpenLineage events: {error}",
            where=url,
            mend="name the address without /api/v1/lineage, and look whether a server such as Marquez listens there",
        ) from error
    finally:
        transport.close()
    return count


def _run_facets(traced: TracedStep) -> dict[str, RunFacet]:
    settings = [
        execution_parameters_run.ExecutionParameter(key=name, value=str(value))
        for name, value in flat(traced.step.settings)
    ]
    consents = [
        tags_run.TagsRunFacetFields(f"consent.{each.identity}", f"{each.id}: {each.standing}", "likeness")
        for each in traced.consents
    ]
    figures = [
        tags_run.TagsRunFacetFields(f"metric.{name}", str(value), "likeness")
        for name, value in flat(traced.metrics or {})
    ]
    return {
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(version("dvc"), "DVC"),
        "executionParameters": execution_parameters_run.ExecutionParametersRunFacet(settings),
        "tags": tags_run.TagsRunFacet([*consents, *figures]),
    }


def _job_facets(root: Path, traced: TracedStep) -> dict[str, JobFacet]:
    code = traced.code
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet("BATCH", "DVC", "STAGE"),
        "sourceCode": source_code_job.SourceCodeJobFacet("shell", traced.step.command),
    }
    if code.revision is not None:
        url = without_secrets((git(root, "remote", "get-url", "origin") or b"").decode().strip()) or root.as_uri()
        facets["sourceCodeLocation"] = source_code_location_job.SourceCodeLocationJobFacet(
            "git", url, repoUrl=url, path=", ".join(code.paths), version=code.revision
        )
    return facets


def _version(artifact: Artifact) -> dict[str, DatasetFacet]:
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(f"md5:{artifact.md5}")}


def _read(artifact: Artifact) -> input_statistics_input_dataset.InputStatisticsInputDatasetFacet:
    return input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
        size=artifact.size, fileCount=artifact.files or 1
    )


def _written(artifact: Artifact) -> output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet:
    return output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        size=artifact.size, fileCount=artifact.files or 1
    )


def _time(root: Path, commit: str | None) -> str:
    said = git(root, "show", "--no-patch", "--format=%cI", commit) if commit else None
    return said.decode().strip() if said else datetime.now(UTC).isoformat(timespec="seconds")
