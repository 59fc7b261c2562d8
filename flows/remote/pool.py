"""The work pool of workers that make single stages, and what lets a run of a worker that is gone end."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from prefect.automations import AutomationCore, EventTrigger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import Posture
from prefect.exceptions import ObjectNotFound

from flows.remote.orders import DEPLOYMENT, POOL

BEAT_SECONDS: Final = 30
"""How often a run says that it is at work; Prefect takes no shorter time."""

LOST_AFTER_SECONDS = 120.0
"""A run that was not heard of for so long counts as lost, and its stage is taken up again."""

ENDS: Final = frozenset(f"prefect.flow-run.{each}" for each in ("Completed", "Failed", "Cancelled", "Crashed"))
BEAT: Final = "prefect.flow-run.heartbeat"
BEGUN: Final = frozenset({"prefect.flow-run.Pending", "prefect.flow-run.Running", BEAT})


def ensure() -> None:
    """Make the pool, its deployment and its automation on the server, or bring them up to date."""
    # Not at the top: the worker's flow imports what this folder has.
    from flows.remote.work import make_one

    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(POOL)
        except ObjectNotFound:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        client.create_deployment(
            flow_id=client.create_flow(make_one),
            name=DEPLOYMENT,
            description="One stage, in the worker's own clone; ordered by `likeness run --remote`.",
            entrypoint="flows.remote.work.make_one",
            work_pool_name=POOL,
            # the folder that the worker was started in
            job_variables={"working_dir": ".", "env": {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(BEAT_SECONDS)}},
            parameter_openapi_schema=make_one.parameters.model_dump(),
            enforce_parameter_schema=False,
        )
        _ensure_lost(client)


def _ensure_lost(client: SyncPrefectClient) -> None:
    """Prefect itself never ends a run whose process was killed together with its worker, or whose machine is off."""
    wanted = AutomationCore(
        name="Likeness: a worker was lost",
        description="A run that began and was not heard of any more has crashed; its stage is made by another worker.",
        trigger=EventTrigger(
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "work-pool", "prefect.resource.name": POOL},
            after=set(BEGUN),
            expect={BEAT, *ENDS},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=LOST_AFTER_SECONDS),
        ),
        actions=[
            ChangeFlowRunState(
                name="Crashed",
                state=StateType.CRASHED,
                message=f"not heard of for {LOST_AFTER_SECONDS:g} s",
                force=False,
            )
        ],
    )
    found = client.read_automations_by_name(wanted.name)
    if found:
        client.update_automation(found[0].id, wanted)
    else:
        client.create_automation(wanted)
