"""The flow that takes in what has arrived in a watched folder or bucket, up to the face sets."""

# No postponed annotations here, as in flows/reproduction.py: Prefect builds the parameters' model from the live ones.
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from filelock import FileLock, Timeout
from prefect import State, flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff
from pydantic import Field

from flows import deadlines
from flows.environment import find_root
from flows.ingestion.inbox import Found, Inbox
from flows.ingestion.taking import SCRATCH, Arrival, remove_left, take_in
from flows.pipeline import Pipeline
from flows.reproduction import BROKEN, Row, reproduce, summary
from flows.stage import BACK_OFF_SECONDS
from flows.states import data_of
from stages.problems import Problem

LOCK = "ingest.lock"


@dataclass(frozen=True)
class Ingested:
    """What became of everything in an inbox.

    Attributes:
        arrivals: a row for each file of footage.
        rows: a row for each stage of the clips that are in.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def refused(self) -> list[Arrival]:
        """What somebody has to look at."""
        return [each for each in self.arrivals if each.state == "refused"]


@flow(name="ingest", persist_result=False)
def ingest(
    inbox: str,
    settled_seconds: Annotated[float, Field(ge=0)] = 30.0,
    jobs: Annotated[int, Field(ge=1)] = 2,
    gpu_slots: Annotated[int, Field(ge=1)] = 1,
    retries: Annotated[int, Field(ge=0)] = 2,
    disk_slots: Annotated[int, Field(ge=1)] = 2,
    timeouts: dict[str, Annotated[float, Field(gt=0)]] | None = None,
    repository: str = ".",
) -> State[Ingested]:
    """Take in the footage that has arrived whole, with consent, and bring its clips up to the face set.

    A file that may not come in is left where it is, named with what to do; every other one goes on. What is in already
    is not taken twice, and what a killed run left undone is done.

    Args:
        inbox: a folder, or a bucket as fsspec names it (s3://bucket/folder), with footage and signed consent records.
        settled_seconds: nobody must have written to a file for so long; in object stores files appear whole.
        jobs: at most so many stages run at the same time.
        gpu_slots: as of other runs; none of these stages trains, but the limit is one for all of the Prefect server.
        retries: how often a file or a stage is tried again after a fault that can pass.
        disk_slots: at most so many of them work on whole films at the same time, of all runs on this machine.
        timeouts: hours that a stage of a kind may take, as {"extraction": 12}; then it is ended and tried again.
        repository: a folder of the DVC repository.

    Returns:
        Completed or Failed, with a row for each file and for each stage.
    """
    try:
        root = find_root(Path(repository))
        require_sound(root, timeouts)
        with chdir(root):
            arrivals = _take_all(inbox, root, settled_seconds, retries)
    except Problem as problem:
        return Failed(message=str(problem), data=Ingested())
    _publish(arrivals)
    # Those that are in already, too: the run that took them in may have been killed.
    clips = sorted({each.clip for each in arrivals if each.state in ("new", "there already")})
    rows: list[Row] = []
    if clips:
        state = reproduce(
            clips=clips,
            jobs=jobs,
            gpu_slots=gpu_slots,
            retries=retries,
            disk_slots=disk_slots,
            timeouts=timeouts,
            repository=str(root),
            return_state=True,
        )
        try:
            rows = data_of(state)
        except Problem as problem:
            told = [summary_of(Ingested(arrivals)), str(problem)]
            return Failed(message="\n".join(filter(None, told)), data=Ingested(arrivals))
    done = Ingested(arrivals, rows)
    wrong = summary_of(done)
    if wrong:
        return Failed(message=wrong, data=done)
    return Completed(message=told_of(arrivals), data=done)


def require_sound(root: Path, timeouts: dict[str, float] | None) -> None:
    """Look at what would stop all of it before anything is taken in or made.

    Raises:
        Problem: DVC can not read the pipeline, or a deadline is for a kind of stage that there is none of.
    """
    deadlines.check(timeouts or {}, list(Pipeline.load(root).graph))


def summary_of(done: Ingested) -> str:
    """All that went wrong, once each; empty if nothing did."""
    parts = [f"{each.file}: {each.reason}\n  mend: {each.mend}" for each in done.refused]
    broken = [row for row in done.rows if row.ending in BROKEN]
    return "\n".join([*parts, *([summary(broken)] if broken else [])])


def told_of(arrivals: list[Arrival]) -> str:
    """How many files ended how, in a line."""
    counts: dict[str, int] = {}
    for each in arrivals:
        counts[each.state] = counts.get(each.state, 0) + 1
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "no footage is there"


def _take_all(url: str, root: Path, settled_seconds: float, retries: int) -> list[Arrival]:
    """Take in the files one after another: each changes params.yaml."""
    folder = (root / SCRATCH).parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=0):
            remove_left(root)
            inbox = Inbox.open(url, root)
            return [_taken(found, inbox, settled_seconds, retries) for found in inbox.footage]
    except Timeout:
        raise Problem(
            "another run takes footage in at this moment", where=root, mend="wait until it has ended"
        ) from None


def _taken(found: Found, inbox: Inbox, settled_seconds: float, retries: int) -> Arrival:
    take = take_file.with_options(retries=retries, retry_delay_seconds=exponential_backoff(BACK_OFF_SECONDS))
    state = take(found.stem, found, inbox, settled_seconds, return_state=True)
    result: object = state.result(raise_on_failure=False)
    if isinstance(result, Arrival):
        return result
    reason = f"it could not be taken in ({result})"
    return Arrival(found.url, found.stem, "refused", reason, "see to the storage, the network and the disk, run again")


def _may_pass(_task: object, _run: object, state: Any) -> bool:
    """Whether it was the storage that failed."""
    return isinstance(state.result(raise_on_failure=False), OSError)


@task(
    name="take in",
    task_run_name="{name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retry_condition_fn=_may_pass,
)
def take_file(name: str, found: Found, inbox: Inbox, settled_seconds: float) -> Arrival:
    """Take one file in, or say why not."""
    logger = get_run_logger()
    arrival = take_in(found, inbox, settled_seconds, logger.info)
    if arrival.state == "refused":
        logger.warning("%s: %s\n  mend: %s", arrival.file, arrival.reason, arrival.mend)
    else:
        logger.info("%s: %s %s", arrival.file, arrival.state, arrival.reason)
    return arrival


def _publish(arrivals: list[Arrival]) -> None:
    table = [
        {"file": each.file, "clip": each.clip, "state": each.state, "reason": each.reason, "mend": each.mend}
        for each in arrivals
    ]
    create_table_artifact(key="arrivals", table=table, description="What became of each file of the inbox.")
