"""The flow of a night: what has arrived comes in, what is stale is made, and one page tells what came of it."""

# No postponed annotations here, as in flows/reproduction.py: Prefect builds the parameters' model from the live ones.
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from prefect import State, flow
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed, Failed
from pydantic import Field

from flows.environment import find_root
from flows.ingest import Ingested, ingest, require_sound
from flows.ingest import summary_of as summary_of_arrivals
from flows.maintenance.consents import Expiry, expiries
from flows.nightly_page import Page
from flows.reproduction import BROKEN, Row, reproduce, summary
from flows.states import data_of
from stages.deliverables import Delivery, deliveries
from stages.problems import Problem
from stages.settings import load_params


@dataclass(frozen=True)
class Night:
    """What came of a night.

    Attributes:
        ingested: what became of the inbox; empty without one.
        rows: a row for each stage, of new clips and of what was to be brought up to date.
        delivered: every swap that has a deliverable and a report, with its figures.
        lacking: swaps that have none.
        consents: how each person's consent stands.
    """

    ingested: Ingested
    rows: list[Row]
    delivered: list[Delivery]
    lacking: list[str]
    consents: list[Expiry]


@flow(name="nightly", persist_result=False)
def nightly(
    inbox: str | None = None,
    swaps: list[str] | None = None,
    pairs: list[str] | None = None,
    clips: list[str] | None = None,
    settled_seconds: Annotated[float, Field(ge=0)] = 30.0,
    jobs: Annotated[int, Field(ge=1)] = 2,
    gpu_slots: Annotated[int, Field(ge=1)] = 1,
    retries: Annotated[int, Field(ge=0)] = 2,
    disk_slots: Annotated[int, Field(ge=1)] = 2,
    timeouts: dict[str, Annotated[float, Field(gt=0)]] | None = None,
    expire_within_days: Annotated[int, Field(ge=0)] = 30,
    repository: str = ".",
) -> State[Night]:
    """Take in what has arrived, train what is stale, deliver, evaluate and report.

    A file that may not come in, or a clip that is broken, keeps only its own swaps from being made; the flow then ends
    as Failed with one message for all of it, after everything else was done.

    Args:
        inbox: a folder or bucket (s3://bucket/folder) to take footage in from; without it nothing is taken in.
        swaps: swaps of params.yaml to bring up to date; with no swaps, pairs and clips named, everything.
        pairs: pairs of params.yaml to bring up to date, up to the trained swap model.
        clips: clips of params.yaml to bring up to date, up to the face set.
        settled_seconds: nobody must have written to an arriving file for so long.
        jobs: at most so many stages run at the same time.
        gpu_slots: at most so many of them train at the same time, on any machine of this Prefect server.
        retries: how often a file or a stage is tried again after a fault that can pass.
        disk_slots: at most so many of them work on whole films at the same time, of all runs on this machine.
        timeouts: hours that a stage of a kind may take, as {"training": 12}; then it is ended and tried again.
        expire_within_days: consents that end in so many days are told as ending soon.
        repository: a folder of the DVC repository.

    Returns:
        Completed or Failed, with what came of it.
    """
    wrong: list[str] = []
    ingested, rows = Ingested(), dict[str, Row]()
    try:
        root = find_root(Path(repository))
        require_sound(root, timeouts)
        if inbox is not None:
            taken = ingest(
                inbox=inbox,
                settled_seconds=settled_seconds,
                jobs=jobs,
                gpu_slots=gpu_slots,
                retries=retries,
                disk_slots=disk_slots,
                timeouts=timeouts,
                repository=str(root),
                return_state=True,
            )
            ingested = data_of(taken)
            rows |= {row.address: row for row in ingested.rows}
            arrivals = summary_of_arrivals(Ingested(ingested.arrivals))
            # An inbox that can not be opened must not keep the rest from being made. Broken stages are told below.
            if not (taken.is_completed() or any(row.ending in BROKEN for row in ingested.rows)):
                wrong.append(str(taken.message))
            elif arrivals:
                wrong.append(arrivals)
        state = reproduce(
            swaps=swaps,
            pairs=pairs,
            clips=clips,
            jobs=jobs,
            gpu_slots=gpu_slots,
            retries=retries,
            disk_slots=disk_slots,
            timeouts=timeouts,
            repository=str(root),
            return_state=True,
        )
        # What the first of the two made is up to date for the second; what failed was tried again, and counts as then.
        rows |= {row.address: row for row in data_of(state) if row.address not in rows or row.ending != "up to date"}
    except Problem as problem:
        return Failed(message="\n".join([*wrong, str(problem)]), data=Night(ingested, list(rows.values()), [], [], []))
    broken = [row for row in rows.values() if row.ending in BROKEN]
    wrong += [summary(broken)] if broken else []
    told = report(ingested, list(rows.values()), wrong, expire_within_days, str(root), return_state=True)
    night = data_of(told)
    wrong += [] if told.is_completed() else [str(told.message)]
    if wrong:
        return Failed(message="\n".join(wrong), data=night)
    return Completed(message=told_of(night), data=night)


@flow(name="report", persist_result=False, validate_parameters=False)
def report(
    ingested: Ingested, rows: list[Row], wrong: list[str], expire_within_days: int, repository: str
) -> State[Night]:
    """Tell on one page what came of a night.

    Args:
        ingested: what became of the inbox.
        rows: a row for each stage.
        wrong: what went wrong, told first.
        expire_within_days: consents that end in so many days are told as ending soon.
        repository: the repository's folder.

    Returns:
        Completed with all of it, or Failed with what can be told where the settings or a record can not be read.
    """
    delivered: list[Delivery] = []
    lacking: list[str] = []
    consents: list[Expiry] = []
    unread: list[str] = []
    try:
        with chdir(repository):
            params = load_params()
            delivered, lacking = deliveries(list(params.swaps))
            consents = expiries(params.identities, expire_within_days)
    except Problem as problem:
        unread.append(str(problem))
    night = Night(ingested, rows, delivered, lacking, consents)
    create_markdown_artifact(
        key="nightly",
        markdown=Page(ingested.arrivals, rows, delivered, lacking, consents, [*wrong, *unread]).markdown(),
        description="What came of this run.",
    )
    if unread:
        return Failed(message="\n".join(unread), data=night)
    return Completed(message=told_of(night), data=night)


def told_of(night: Night) -> str:
    """What there is to say if all is well."""
    new = sum(each.state == "new" for each in night.ingested.arrivals)
    made = sum(row.ending == "made" for row in night.rows)
    swaps = [row.address.partition("@")[2] for row in night.rows if row.ending == "made" and _is_delivery(row)]
    soon = [f"{each.identity} on {each.expires}" for each in night.consents if each.state in ("ends soon", "term over")]
    parts = [
        f"{new} new clips" if new else "",
        f"{made} of {len(night.rows)} stages made" if made else f"all of {len(night.rows)} stages were up to date",
        f"delivered: {', '.join(swaps)}" if swaps else "",
        f"consents end: {', '.join(soon)}" if soon else "",
    ]
    return "; ".join(part for part in parts if part)


def _is_delivery(row: Row) -> bool:
    return row.address.partition("@")[0] == "encoding"
