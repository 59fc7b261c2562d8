"""The flow that looks whose consent ends soon, and tells it as events."""

# No postponed annotations here, as in flows/reproduction.py: Prefect builds the parameters' model from the live ones.
from contextlib import chdir
from pathlib import Path
from typing import Annotated

from prefect import State, flow
from prefect.artifacts import create_table_artifact
from prefect.logging import get_run_logger
from prefect.states import Completed
from pydantic import Field

from flows import events
from flows.environment import find_root
from flows.maintenance.consents import Expiry, ending, expiries


@flow(name="consents", persist_result=False)
def consents(expire_within_days: Annotated[int, Field(ge=0)] = 30, repository: str = ".") -> State[list[Expiry]]:
    """Tell whose consent ends soon or has ended: an event for each, every time, until the record is renewed or ended.

    Args:
        expire_within_days: consents that end in so many days end soon.
        repository: a folder of the DVC repository.

    Returns:
        Completed, with those that end soon.
    """
    logger = get_run_logger()
    with chdir(find_root(Path(repository))):
        seen = expiries((), expire_within_days)
    for each in seen:
        if not each.record:
            logger.warning("the consent of '%s' can not be read: %s", each.identity, each.problem)
    found = ending(seen, expire_within_days)
    for each in found:
        logger.info("the consent of '%s' ends on %s, in %d days", each.identity, each.expires, each.days)
        events.tell_ending(each)
    table = [
        {"identity": each.identity, "record": each.record, "ends": str(each.expires), "days": each.days}
        for each in found
    ]
    create_table_artifact(key="consents", table=table, description="Whose consent ends soon, or has ended.")
    told = ", ".join(f"{each.identity} on {each.expires}" for each in found) or "none"
    return Completed(message=f"consents that end within {expire_within_days} days: {told}", data=found)
