"""Prefect's runner for the scheduled flow, as a process of its own: ``python -m flows.schedule SETTINGS``.

By itself Prefect's runner waits, when it is asked to end, until the runs that it started have ended. In a process of
its own, under :mod:`flows.guard`, it ends with them.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from prefect.types.entrypoint import EntrypointType
from pydantic import BaseModel

from flows.reproduction import reproduce


class Schedule(BaseModel):
    """When the flow runs (one of ``cron`` and ``interval``, in seconds) and with which parameters."""

    cron: str | None
    interval: float | None
    parameters: dict[str, Any]


def serve(schedule: Schedule) -> None:
    """Run the flow whenever it is time, one run after another, until the process is ended."""
    reproduce.serve(
        name="scheduled",
        cron=schedule.cron,
        interval=None if schedule.interval is None else timedelta(seconds=schedule.interval),
        parameters=schedule.parameters,
        limit=1,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


if __name__ == "__main__":
    serve(Schedule.model_validate_json(sys.argv[1]))
