"""What a worker does with an order: brings its clone to the revision, pulls, makes the stage, pushes, and replies."""

# No postponed annotations here: Prefect builds the parameters' model from the live ones.
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import State, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.children import Children
from flows.environment import find_root
from flows.pages.progress import shown
from flows.pipeline import opened
from flows.remote import clones, transfer
from flows.remote import entries as locked
from flows.remote.orders import FLOW, REPLY, Order, Reply
from flows.stage import StageFailed, reproduce_stage
from stages.problems import Problem


@flow(name=FLOW, flow_run_name="{address}", persist_result=False)
def make_one(
    address: str,
    remote: str,
    revision: str,
    entries: dict[str, dict[str, Any]],
    upstream: list[str],
    seconds: float | None = None,
) -> State[None]:
    """Make one stage in this worker's clone, and push its results.

    Args:
        address: the stage.
        remote: the DVC remote that its inputs are pulled from and its results pushed to.
        revision: the git commit of the code and settings.
        entries: what dvc.lock has of the stage and of those that it reads.
        upstream: the stages whose results it reads.
        seconds: it may take so long.
    """
    order = Order(address, remote, revision, entries, upstream, seconds)
    children = Children()
    try:
        reply = _reply(order, children)
    except Problem as problem:
        reply = Reply(reason=str(problem))
    except StageFailed as failed:
        reply = Reply(reason=failed.reason, may_pass=failed.may_pass)
    finally:
        children.stop()
    with get_client(sync_client=True) as client:
        mine = UUID(flow_run.get_id())
        client.create_artifact(ArtifactCreate(type=REPLY, data=reply.text(), flow_run_id=mine))
    if reply.outcome is None:
        return Failed(message=reply.reason)
    return Completed(message=f"{address}: {reply.outcome}")


def _reply(order: Order, children: Children) -> Reply:
    logger = get_run_logger()
    root = find_root(Path.cwd())
    transfer.require(root, order.remote)
    with opened(root) as repo:
        made = locked.tracked_results(repo)
        folder = Path(repo.tmp_dir)
    with clones.brought(root, order.revision, made, folder):
        locked.put(root, order.entries)
        transfer.transfer_here("pull", order.upstream, order.remote, root, logger)
        with shown(order.address, root) as hear:
            done = reproduce_stage(order.address, root, children, logger, seconds=order.seconds, watch=hear)
        transfer.transfer_here("push", [order.address], order.remote, root, logger)
        entry = locked.read(root, [order.address])[order.address]
        return Reply(done.outcome, done.seconds, entry, locked.uncached(root, order.address))
