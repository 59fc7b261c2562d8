"""Work on a Dask cluster: its scheduler hands spans out, and hands out again those of workers that died.

What goes over the network are paths, settings, spans and results. Artifacts a worker reads itself, from a shared folder
or as pulled by DVC.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic

from distributed import Client, Future, LocalCluster, get_worker
from distributed.scheduler import KilledWorker

from stages.execution.engines import AHEAD, in_order
from stages.execution.surroundings import Surroundings, require_same, surroundings
from stages.execution.work import Result, Span, Work, do
from stages.problems import Problem

log = logging.getLogger(__name__)

PATIENCE: Final = 120
"""Seconds to wait for a scheduler, for a first worker, and for another one after all have died."""

LOOKS: Final = 10
"""Seconds between two looks whether any worker is left."""


class Cluster:
    """A cluster that answers.

    Args:
        client: connected to it.
        address: of its scheduler, for messages.
    """

    def __init__(self, client: Client, address: str) -> None:
        self._client, self.address = client, address

    def map(self, work: Work[Span, Result], spans: Iterable[Span]) -> Iterator[Result]:
        """As :meth:`stages.execution.engines.Engine.map`.

        Raises:
            Problem: besides, a worker is not fit for it: other code, versions or artifacts, or several threads.
        """
        mine = surroundings(work.reads)
        self.require_workers()
        count = self._require_fit(mine)
        run = uuid.uuid4().hex

        def submit(span: Span) -> _Waiting[Result]:
            return _Waiting(self._client.submit(_checked, run, mine, work, span, pure=False), self)

        yield from in_order(submit, spans, AHEAD * count)

    def require_workers(self) -> None:
        """Wait until there is a worker; some may be on their way, or be started again after they died.

        Raises:
            Problem: there is none for :data:`PATIENCE`.
        """
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise Problem(
                "the cluster has no workers",
                where=self.address,
                mend=f"start some: `dask worker {self.address} --nthreads 1 --nworkers N`",
            ) from None

    def _require_fit(self, mine: Surroundings) -> int:
        """Check all workers that are there now, and say how many they are."""
        several = [worker for worker, threads in self._client.nthreads().items() if threads > 1]
        if several:
            raise Problem(
                "this worker has several threads, and stages use one in each process",
                where=several[0],
                mend="start it with `dask worker --nthreads 1 --nworkers N`, see docs/scale.md",
            )
        files = [Path(path) for path in mine.files]
        answers = self._client.run(partial(surroundings, files), on_error="return")
        for worker, theirs in sorted(answers.items()):
            if isinstance(theirs, Exception):
                raise _unfit(theirs, worker)
            require_same(mine, theirs, worker)
            if theirs.vector != mine.vector:
                log.warning("%s has a processor of another kind: last digits may differ from those made here", worker)
        return len(answers)


_fit: set[str] = set()
"""The runs that this worker was found fit for; one that joins later has not been asked at the start."""


def _checked(run: str, mine: Surroundings, work: Work[Span, Result], span: Span) -> Result:
    """A span's result, in a worker.

    Raises:
        Problem: the worker is not fit, or the work's own.
    """
    if run not in _fit:
        require_same(mine, surroundings([Path(path) for path in mine.files]), get_worker().address)
        _fit.add(run)
    return do(run, work, span)


class _Waiting(Generic[Result]):
    """A span's result on the cluster."""

    def __init__(self, future: Future[Any], cluster: Cluster) -> None:
        self._future, self._cluster = future, cluster

    def result(self) -> Result:
        """Wait for it as long as there is somebody to work on it.

        Raises:
            Problem: the work's own; the workers or the scheduler are gone; a worker can not load the project.
        """
        try:
            while True:
                try:
                    result: Result = self._future.result(timeout=LOOKS)
                    return result
                except TimeoutError:
                    self._cluster.require_workers()
        except KilledWorker as error:
            raise Problem(
                f"one span was given to {error.allowed_failures + 1} workers, and all of them died",
                where=self._cluster.address,
                mend="look into the workers' logs; perhaps their memory ran out (`dask worker --memory-limit`)",
            ) from error
        except CancelledError as error:
            raise Problem(
                "the connection to the cluster's scheduler was lost",
                where=self._cluster.address,
                mend="start it and run again",
            ) from error
        except ModuleNotFoundError as error:
            raise _unfit(error, self._cluster.address) from error

    def cancel(self) -> None:
        """Drop it."""
        self._future.cancel()


def _unfit(error: Exception, where: str) -> Problem:
    return Problem(
        f"a worker can not load the project: {type(error).__name__}: {error}",
        where=where,
        mend="start it in the project's folder and environment, with PYTHONPATH set to the folder (docs/scale.md)",
    )


@contextmanager
def connected(address: str | None, count: int) -> Iterator[Cluster]:
    """The cluster at an address; if there is none, ``count`` workers of this machine for as long as the block lasts.

    Raises:
        Problem: nobody answers there, or it has no workers.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what concerns the user is told as a problem
    with ExitStack() as stack:
        if address is None:
            local = LocalCluster(
                n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
            )
            address = stack.enter_context(local).scheduler_address
        try:
            client = stack.enter_context(Client(address, timeout=PATIENCE, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            raise Problem(
                f"no scheduler answers there: {error}",
                where=f"execution.address {address}",
                mend="start one with `dask scheduler`, or correct the address",
            ) from error
        cluster = Cluster(client, address)
        cluster.require_workers()
        yield cluster
