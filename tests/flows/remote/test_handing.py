"""Runs that share a worker's: it goes on for as long as one of them waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterIdempotencyKey
from prefect.client.schemas.objects import FlowRun
from prefect.runtime import flow_run
from prefect.states import Cancelling, Crashed, State

from flows.children import Stopped
from flows.remote import handing, pool
from flows.remote.orders import INTEREST, Order
from tests.flows.conftest import wait_for

pytestmark = pytest.mark.usefixtures("prefect")


@dataclass
class Follower:
    """A run that waits for a worker, in a thread."""

    run: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)
    ended: Future[Any] = field(default_factory=Future)

    def begin(self, threads: ThreadPoolExecutor, order: Order, root: Path) -> None:
        """Wait for whoever makes the order."""

        @flow(name="follower")
        def follow() -> None:
            self.run = str(flow_run.get_id())
            handing._followed(order, root, self.stopped)

        # the server is named in this thread's context
        self.ended = threads.submit(copy_context().run, follow, return_state=True)

    def stop(self) -> None:
        """As when it is cancelled."""
        self.stopped.set()
        assert isinstance(self.ended.result(60).result(raise_on_failure=False), Stopped)


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """One that no worker takes: there is none."""
    pool.ensure()
    return Order("training@ada-ben", "store", tmp_path.name, {}, [])


@pytest.fixture
def followers(order: Order, tmp_path: Path) -> Iterator[list[Follower]]:
    """Two runs that wait for the same worker."""
    both = [Follower(), Follower()]
    with ThreadPoolExecutor(2) as threads:
        for number, one in enumerate(both, 1):
            one.begin(threads, order, tmp_path)
            wait_for(partial(is_shared_by, number, order))
        yield both
        for one in both:
            one.stopped.set()


def made_for(order: Order, number: int = 0) -> FlowRun:
    """The worker's run, or the one that was made when so many had ended."""
    wanted = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=[order.key(number)]))
    with get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(flow_run_filter=wanted)
    return run


def is_shared_by(number: int, order: Order, ended: int = 0) -> bool:
    """Whether so many runs are noted at the worker's."""
    try:
        run = made_for(order, ended)
    except ValueError:  # not made yet
        return False
    with get_client(sync_client=True) as client:
        return len(handing._artifacts(run.id, INTEREST, client)) == number


def is_cancelled(order: Order) -> bool:
    state = made_for(order).state
    assert state is not None
    return state.is_cancelled() or state.is_cancelling()


def test_only_the_last_that_is_cancelled_cancels_what_they_share(followers: list[Follower], order: Order) -> None:
    first, second = followers
    first.stop()
    assert not is_cancelled(order)
    assert not second.ended.done()
    second.stop()
    assert is_cancelled(order)


@pytest.mark.parametrize("state", [Cancelling(), Crashed()])
def test_one_that_is_about_to_end_or_was_lost_keeps_nothing(
    followers: list[Follower], order: Order, state: State[Any]
) -> None:
    first, second = followers
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(second.run), state, force=True)
    first.stop()
    assert is_cancelled(order)


def test_a_run_that_is_being_cancelled_is_not_joined(order: Order, tmp_path: Path) -> None:
    """Else one that is begun again at once would fail with it."""
    first, again = Follower(), Follower()
    with ThreadPoolExecutor(2) as threads:
        first.begin(threads, order, tmp_path)
        wait_for(partial(is_shared_by, 1, order))
        with get_client(sync_client=True) as client:  # as of a worker that has not yet ended its stage
            client.set_flow_run_state(made_for(order).id, Cancelling(), force=True)
        again.begin(threads, order, tmp_path)
        wait_for(partial(is_shared_by, 1, order, ended=1))
        for one in (first, again):
            one.stop()
    assert is_shared_by(0, order)
    assert is_shared_by(0, order, ended=1)
