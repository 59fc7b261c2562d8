"""The task that has a stage made by a worker: an order, its run followed to the end, the reply entered in dvc.lock."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import networkx as nx
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterType,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import TERMINAL_STATES, FlowRun, StateType
from prefect.deployments import run_deployment
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelling

from flows import deadlines, gpu
from flows.children import Stopped
from flows.pages.progress import UNREACHED
from flows.pipeline import Pipeline
from flows.remote import clones, entries, transfer
from flows.remote.orders import DEPLOYMENT, FLOW, INTEREST, REPLY, Order, Reply
from flows.stage import Done, StageFailed, Workshop, make_stage, may_pass
from stages.consent.reading import FOLDER as CONSENTS

POLL_SECONDS: Final = 1.0

HERE: Final = frozenset({"admission"})
"""Stages that read what no clone need have: a clip that is being taken in."""


@task(
    task_run_name="{address}",
    cache_policy=NO_CACHE,  # DVC is the only one that says what is up to date
    persist_result=False,
    retry_condition_fn=may_pass,
)
def have_made(address: str, workshop: Workshop, remote: str, pipeline: Pipeline) -> Done:
    """Have a stage made by a worker, or here where only this machine can; its results are in the remote afterwards.

    Args:
        address: the stage, whose upstream stages are up to date in dvc.lock.
        workshop: what the tasks of the run share.
        remote: the DVC remote.
        pipeline: the whole one.

    Raises:
        StageFailed: it ended with an error, or the worker was lost.
        Stopped: the run was stopped.
    """
    logger = get_run_logger()
    root, stopped, graph = workshop.root, workshop.children.stopped, pipeline.graph
    if stays(address, graph):
        done: Done = make_stage.fn(address, workshop)
        transfer.transfer(
            "push", [address] if graph.nodes[address]["kept"] else [], remote, root, workshop.children, logger
        )
        return done
    with ExitStack() as held:
        if address.partition("@")[0] in gpu.STAGES:
            held.enter_context(gpu.gpu_slot(workshop.gpu_slots, workshop.gpu_locks, stopped))
        held.enter_context(workshop.room)
        upstream = sorted(graph.predecessors(address))
        revision = _revision(address, root)
        seconds = deadlines.seconds_of(address, workshop.hours)
        order = Order(address, remote, revision, entries.read(root, {address, *upstream}), upstream, seconds)
        reply = _followed(order, root, stopped)
        if reply.outcome is None:
            raise StageFailed(address, reply.reason, may_pass=reply.may_pass)
        entries.take_in(root, address, reply.entry, reply.files, upstream)
        return Done(reply.outcome, reply.seconds)  # type: ignore[arg-type]


def _revision(address: str, root: Path) -> str:
    """The commit by which a worker is to make it; a worker knows of no consent that was withdrawn but not committed."""
    records = [path for path in clones.changes(root, frozenset()) if Path(path).is_relative_to(CONSENTS)]
    if records:
        told = f"changed since the last commit: {', '.join(records)}; workers go by what git has"
        raise StageFailed(address, f"{told}\n  mend: commit and push, then run again", may_pass=False)
    return clones.git(root, "rev-parse", "HEAD").strip()


def stays(address: str, graph: nx.DiGraph[str]) -> bool:
    """Whether a stage is made where the run was started: its results go through git, or its inputs are only there."""
    samples = not graph.in_degree(address) and not graph.nodes[address]["kept"]
    return samples or address.partition("@")[0] in HERE


def _followed(order: Order, root: Path, stopped: threading.Event) -> Reply:
    """Have a run made of the order, or find the one that was made before, and wait for its end."""
    with get_client(sync_client=True) as client:
        run, interest = _joined(order, root, client)
        try:
            while run.state is None or not run.state.is_final():
                if stopped.wait(POLL_SECONDS):
                    raise Stopped("the run was stopped")
                run = client.read_flow_run(run.id)
        finally:
            # first: of two that are stopped at once, the later one finds nobody
            with suppress(*UNREACHED):
                client.delete_artifact(interest)
            with suppress(*UNREACHED):
                if stopped.is_set() and not _is_awaited(run.id, client):
                    client.set_flow_run_state(run.id, Cancelling())
    reply = _reply_of(run.id)
    if reply is not None:
        return reply
    ended = f"{run.state.type.value.lower()}: {run.state.message or 'no reason was told'}"
    return Reply(reason=f"the worker's run {run.name} {ended}", may_pass=run.state.type != StateType.CANCELLED)


def _joined(order: Order, root: Path, client: SyncPrefectClient) -> tuple[FlowRun, UUID]:
    """A worker's run for an order, and the note there that this run waits for it."""
    while True:
        begun = _begun(order, root)
        interest = _noted(begun.id, client)
        run = client.read_flow_run(begun.id)
        if not _is_called_off(run):  # by the last other one that waited, just before the note was there
            return run, interest


def _is_called_off(run: FlowRun) -> bool:
    return run.state is not None and (run.state.is_cancelling() or run.state.is_cancelled())


def _noted(run: UUID, client: SyncPrefectClient) -> UUID:
    """Note at a worker's run that this one waits for it: other runs with the same order share it."""
    noted = client.create_artifact(ArtifactCreate(type=INTEREST, data=flow_run.get_id(), flow_run_id=run))
    return noted.id


def _is_awaited(run: UUID, client: SyncPrefectClient) -> bool:
    """Whether a run that has not ended, nor is about to, waits for a worker's."""
    waiting = [UUID(str(each.data)) for each in _artifacts(run, INTEREST, client)]
    ending = FlowRunFilterStateType(not_any_=[*TERMINAL_STATES, StateType.CANCELLING])
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=waiting), state=FlowRunFilterState(type=ending))
    return bool(waiting and client.read_flow_runs(flow_run_filter=wanted, limit=1))


def _begun(order: Order, root: Path) -> FlowRun:
    number = 0
    while True:
        # timeout=0: it would wait without listening for the run's stop
        run = run_deployment(
            f"{FLOW}/{DEPLOYMENT}",
            parameters=asdict(order),
            flow_run_name=order.address,
            timeout=0,
            idempotency_key=order.key(number),
        )
        assert isinstance(run, FlowRun)  # a coroutine only where an event loop runs, which a task's thread has not
        if run.state is None or not (run.state.is_final() or run.state.is_cancelling()):
            return run
        if run.state.is_completed():
            # made for a former run; it may have been removed from the remote since
            reply = _reply_of(run.id)
            if reply is not None and entries.lie_in(root, order.remote, order.address, reply.entry):
                return run
        number += 1


def _reply_of(run: UUID) -> Reply | None:
    with get_client(sync_client=True) as client:
        found = _artifacts(run, REPLY, client)
    return Reply.read(str(found[0].data)) if found else None


def _artifacts(run: UUID, kind: str, client: SyncPrefectClient) -> list[Any]:
    """The artifacts of a type at a run."""
    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]), type=ArtifactFilterType(any_=[kind]))
    return list(client.read_artifacts(artifact_filter=wanted))
