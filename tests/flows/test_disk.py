"""The slots of a machine's disk: as those of the GPU, but counted for each machine."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

from flows.disk import LIMIT, disk_slot, ensure_limit

pytestmark = pytest.mark.usefixtures("prefect")


def active() -> int:
    with get_client(sync_client=True) as client:
        return client.read_global_concurrency_limit_by_name(LIMIT).active_slots


def test_slots_are_counted_and_those_of_a_killed_run_come_back(tmp_path: Path) -> None:
    ensure_limit(2, tmp_path)
    with disk_slot(2, tmp_path, threading.Event()), disk_slot(2, tmp_path, threading.Event()):
        assert active() == 2
    assert active() == 0
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(LIMIT, GlobalConcurrencyLimitUpdate(active_slots=2))
    ensure_limit(2, tmp_path)
    assert active() == 0
