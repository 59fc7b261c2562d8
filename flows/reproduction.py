"""The flow that reproduces chosen swaps, pairs or clips: what ``dvc repro`` makes, side by side where it can be."""

# No postponed annotations here: Prefect builds the parameters' model from the live ones, and a scheduled run, which
# imports this module by name, can not resolve them from text.
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import networkx as nx
from prefect import State, flow
from prefect.futures import PrefectFuture, wait
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff
from prefect.utilities.annotations import quote
from pydantic import Field

from flows import deadlines, disk, events, gpu, stage
from flows.environment import find_root
from flows.pipeline import Pipeline, Plan, Selection, look_at
from flows.remote import planning, pool
from flows.remote.handing import have_made
from flows.results import metrics_of, publish
from flows.stage import Done, StageFailed, Workshop, make_stage
from flows.traces import without_trace
from stages.problems import Problem

Ending = Literal["made", "taken from the cache", "unchanged", "up to date", "failed", "not run", "still stale"]
BROKEN: frozenset[Ending] = frozenset({"failed", "not run", "still stale"})


@dataclass(frozen=True)
class Row:
    """How one stage ended.

    Attributes:
        address: the stage.
        ending: what became of it.
        seconds: how long its last attempt took, None if there was none.
        md5: DVC's hash of its first output, None if there is none.
        reason: why it failed, or was not run.
    """

    address: str
    ending: Ending
    seconds: float | None = None
    md5: str | None = None
    reason: str = ""


@flow(name="reproduce", persist_result=False)
def reproduce(
    swaps: list[str] | None = None,
    pairs: list[str] | None = None,
    clips: list[str] | None = None,
    jobs: Annotated[int, Field(ge=1)] = 2,
    gpu_slots: Annotated[int, Field(ge=1)] = 1,
    retries: Annotated[int, Field(ge=0)] = 2,
    disk_slots: Annotated[int, Field(ge=1)] = 2,
    timeouts: dict[str, Annotated[float, Field(gt=0)]] | None = None,
    remote: str | None = None,
    repository: str = ".",
) -> State[list[Row]]:
    """Bring the chosen results up to date; with nothing chosen, all of them.

    A stage that fails keeps only what is downstream of it from running. Every other stage goes on.

    Args:
        swaps: swaps of params.yaml, each with its pair, its clips and its report.
        pairs: pairs of params.yaml, up to the trained swap model.
        clips: clips of params.yaml, up to the face set.
        jobs: at most so many stages run at the same time.
        gpu_slots: at most so many of them train at the same time, on any machine of this Prefect server.
        retries: how often a stage is tried again after a fault that can pass (never after bad input).
        disk_slots: at most so many of them work on whole films at the same time, of all runs on this machine.
        timeouts: hours that a stage of a kind may take, as {"training": 12}; then it is ended and tried again.
        remote: a DVC remote; then workers of the pool likeness-stages make the stages, in clones of their own.
        repository: a folder of the DVC repository.

    Returns:
        Completed or Failed, with a row for each stage; Failed with what keeps it from beginning or from its end, which
        is a Problem for a name that is not known or a pipeline that DVC can not read.
    """
    selection = Selection(tuple(swaps or ()), tuple(pairs or ()), tuple(clips or ()))
    try:
        root = find_root(Path(repository))
        plan = Plan.make(root, selection) if remote is None else planning.plan(root, selection, remote)
        deadlines.check(timeouts or {}, list(plan.pipeline.graph))
        workshop = Workshop(root, jobs, gpu_slots, disk_slots=disk_slots, hours=timeouts or {})
        return _brought_up_to_date(plan, workshop, retries, remote)
    except (Problem, StageFailed) as error:
        # as a state: of what is raised, Prefect tells where in the code it was
        return Failed(message=str(error), data=error)


def _brought_up_to_date(plan: Plan, workshop: Workshop, retries: int, remote: str | None) -> State[list[Row]]:
    logger = get_run_logger()
    root = workshop.root
    rows = {address: Row(address, "up to date") for address in plan.graph}
    if plan.stages:
        logger.info("%d of %d stages to look at: %s", len(plan.stages), len(rows), ", ".join(plan.stages))
        gpu.ensure_limit(workshop.gpu_slots, workshop.gpu_locks)
        disk.ensure_limit(workshop.disk_slots, workshop.gpu_locks)
        if remote is not None:
            pool.ensure()
            planning.push_inputs(plan, remote, workshop.children, logger)
        with without_trace():
            rows |= _run(plan, workshop, retries, remote)
    else:
        logger.info("nothing to do")
    pipeline, stale = plan.pipeline, dict[str, list[str]]()  # what no run came near is as it was seen
    wrong: list[str] = []
    if plan.stages:
        near = {one for address in plan.stages for one in (address, *plan.graph.predecessors(address))}
        ended = {address for address in near if rows[address].ending not in BROKEN}
        if remote is None:
            pipeline, stale = look_at(root, ended)
        else:
            ended &= set(Pipeline.load(root).graph)  # DVC pulls nothing if it does not know one of them
            try:
                planning.pull_results(plan, ended, remote, workshop.children, logger)
            except StageFailed as failed:  # all the same the stages were made, which is to be told
                addresses = failed.address.replace(", ", " ")
                mend = f"see to the remote, then `dvc pull --force --remote {remote} {addresses}`"
                wrong.append(f"{failed}\n  mend: {mend}")
            pipeline, stale = planning.look_at(root, ended)
    rows = _checked(rows, pipeline, stale)
    ordered = [rows[address] for address in nx.lexicographical_topological_sort(plan.graph)]
    known = [row for row in ordered if row.address in pipeline.graph]
    publish(pipeline, known)
    events.tell(pipeline, known)
    broken = [row for row in ordered if row.ending in BROKEN]
    if broken:
        wrong.insert(0, summary(broken))
    if wrong:
        return Failed(message="\n".join(wrong), data=ordered)
    return Completed(message=f"{len(rows)} of {len(rows)} stages are up to date", data=ordered)


def summary(broken: list[Row]) -> str:
    """One message for all that went wrong: each cause once, and what was not run because of it."""
    causes: dict[str, list[str]] = {}
    for row in broken:
        if row.ending != "not run":
            causes.setdefault(row.reason, []).append(row.address)
    parts = [f"{', '.join(addresses)}: {reason}" for reason, addresses in causes.items()]
    waiting = [row.address for row in broken if row.ending == "not run"]
    if waiting:
        parts.append(f"not run, for want of these: {', '.join(waiting)}")
    return "\n".join(parts)


def _run(plan: Plan, workshop: Workshop, retries: int, remote: str | None) -> dict[str, Row]:
    """Submit the stages in their order, each waiting for those upstream of it, and wait for all of them."""
    futures: dict[str, PrefectFuture[Done]] = {}
    try:
        for address in plan.stages:
            upstream = [futures[before] for before in plan.graph.predecessors(address) if before in futures]
            options: dict[str, Any] = {
                "name": address.partition("@")[0],
                "retries": retries,
                "retry_delay_seconds": exponential_backoff(stage.BACK_OFF_SECONDS),
            }
            if remote is None:
                make = make_stage.with_options(**options)
                future = make.submit(address, workshop, wait_for=upstream, return_state=False)
            else:
                # quote: Prefect would look through the graph for other tasks' results
                have = have_made.with_options(**options)
                future = have.submit(
                    address, workshop, remote, quote(plan.pipeline), wait_for=upstream, return_state=False
                )
            futures[address] = future
        wait(list(futures.values()))
    except BaseException:
        # Cancelled or interrupted: the threads of the tasks only end when their processes do.
        workshop.children.stop()
        raise
    return {address: _row(address, future) for address, future in futures.items()}


def _row(address: str, future: PrefectFuture[Done]) -> Row:
    if not future.state.is_final():
        return Row(address, "not run", reason="a stage upstream of it failed")
    result: object = future.result(raise_on_failure=False)
    if isinstance(result, Done):
        return Row(address, result.outcome, result.seconds)
    reason = result.reason if isinstance(result, StageFailed) else f"{type(result).__name__}: {result}"
    return Row(address, "failed", reason=reason)


def _checked(rows: dict[str, Row], pipeline: Pipeline, stale: dict[str, list[str]]) -> dict[str, Row]:
    """The rows with the hashes that DVC has now.

    A stage that DVC still calls stale did not end well, and neither did one whose metrics can not be read, or one that
    is no more.
    """
    checked = {}
    for address, row in rows.items():
        if address not in pipeline.graph:
            gone = "it was taken out of params.yaml while the run was under way"
            checked[address] = Row(address, "failed", row.seconds, None, gone)
            continue
        outs = pipeline.outputs(address)
        ending, reason = row.ending, row.reason
        if stale.get(address, []) not in ([], ["always changed"]):
            ending, reason = "still stale", "; ".join(stale[address])
        elif ending not in BROKEN:
            try:
                metrics_of(pipeline, address)
            except Problem as problem:
                ending, reason = "failed", str(problem)
        checked[address] = Row(address, ending, row.seconds, outs[0][1] if outs else None, reason)
    return checked
