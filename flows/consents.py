"""The flow that looks whose consent ends soon, and tells it as events."""

# No postponed annotations here, as in flows/reproduction.py: Prefect builds the parameters' model from the live ones.
from contextlib import chdir
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from prefect import State, flow
from prefect.artifacts import create_table_artifact
from prefect.logging import get_run_logger
from prefect.states import Completed
from pydantic import Field

from flows import events
from flows.environment import find_root
from stages.consent import FOLDER, read_consent
from stages.problems import Problem


@dataclass(frozen=True)
class Ending:
    """A consent that ends soon, or has ended.

    Attributes:
        identity: whose.
        record: the record's id.
        expires: the last day on which it holds.
        days: so many are left; negative once it is over.
    """

    identity: str
    record: str
    expires: date
    days: int


@flow(name="consents", persist_result=False)
def consents(expire_within_days: Annotated[int, Field(ge=0)] = 30, repository: str = ".") -> State[list[Ending]]:
    """Tell whose consent ends soon or has ended: an event for each, every time, until the record is renewed or ended.

    Args:
        expire_within_days: consents that end in so many days end soon.
        repository: a folder of the DVC repository.

    Returns:
        Completed, with those that end soon.
    """
    logger = get_run_logger()
    with chdir(find_root(Path(repository))):
        found, unread = endings(expire_within_days, date.today())
    for problem in unread:
        logger.warning("%s", problem)
    for each in found:
        logger.info("the consent of '%s' ends on %s, in %d days", each.identity, each.expires, each.days)
        events.tell_ending(each.identity, each.record, each.expires, each.days)
    table = [
        {"identity": each.identity, "record": each.record, "ends": each.expires.isoformat(), "days": each.days}
        for each in found
    ]
    create_table_artifact(key="consents", table=table, description="Whose consent ends soon, or has ended.")
    told = ", ".join(f"{each.identity} on {each.expires}" for each in found) or "none"
    return Completed(message=f"consents that end within {expire_within_days} days: {told}", data=found)


def endings(within_days: int, today: date) -> tuple[list[Ending], list[Problem]]:
    """Consents in force that end soon or have ended, by identity; the working directory is the repository's folder.

    Args:
        within_days: what ends in so many days ends soon.
        today: the day from which they are counted.

    Returns:
        those that do, and what kept others from being read.
    """
    found, unread = [], []
    for path in sorted(FOLDER.glob("*.yaml")):
        try:
            record = read_consent(path.stem)
        except Problem as problem:
            unread.append(problem)
            continue
        expires = record.term.expires
        if record.status == "revoked" or expires is None:
            continue
        days = (expires - today).days
        if days <= within_days:
            found.append(Ending(path.stem, record.record_id, expires, days))
    return found, unread
