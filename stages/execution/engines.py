"""Who does the work: one interface over this process and its threads, local processes and a cluster."""

from __future__ import annotations

import os
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Final, Protocol

import yaml

from stages.execution.settings import ExecutionSettings
from stages.execution.work import Result, ResultOut, Span, Work, do
from stages.problems import Problem
from stages.settings import parse
from stages.workers import processors, workers

VARIABLE: Final = "LIKENESS_EXECUTION"
"""Environment variable that stands for the section ``execution``, for one run: ``{engine: processes, workers: 4}``."""

AHEAD: Final = 2
"""Spans in flight for each worker: one that it works on, one that waits for it."""

THREADS: Final = 8
"""At most, if nobody asks for more: beyond, they wait for each other at what only one of them can do in Python."""


class Engine(Protocol):
    """Where spans become results."""

    def map(self, work: Work[Span, Result], spans: Iterable[Span]) -> Iterator[Result]:
        """The result of every span, in their order.

        Spans are taken as they are needed and a bounded number of results waits, so memory does not grow with the clip.

        Raises:
            Problem: the work's own, from wherever it was done; or the workers are not there any more.
        """
        ...


class Here:
    """One span after the other in this process."""

    def map(self, work: Work[Span, Result], spans: Iterable[Span]) -> Iterator[Result]:
        """As :meth:`Engine.map`."""
        result_of = work.begin()
        for span in spans:
            yield result_of(span)


HERE: Final = Here()


class Threads:
    """Threads of this process, which share its networks: what takes long (they, codecs, warps) runs side by side.

    Args:
        count: how many they are.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def map(self, work: Work[Span, Result], spans: Iterable[Span]) -> Iterator[Result]:
        """As :meth:`Engine.map`."""
        result_of = work.begin()
        with ThreadPoolExecutor(self._count) as pool:
            yield from in_order(lambda span: pool.submit(result_of, span), spans, AHEAD * self._count)


class Processes:
    """Processes of this machine.

    Args:
        pool: the processes.
        count: how many they are.
    """

    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pool, self._count = pool, count

    def map(self, work: Work[Span, Result], spans: Iterable[Span]) -> Iterator[Result]:
        """As :meth:`Engine.map`."""
        run = uuid.uuid4().hex
        try:
            yield from in_order(lambda span: self._pool.submit(do, run, work, span), spans, AHEAD * self._count)
        except BrokenProcessPool as error:
            raise Problem(
                "a worker process was killed, perhaps because memory ran out; nothing half-written was kept",
                where="params.yaml, execution.workers",
                mend="run again, with fewer workers if it comes again",
            ) from error


class Pending(Protocol[ResultOut]):
    """The result of a span that somebody works on, such as a future of the standard library."""

    def result(self) -> ResultOut:
        """Wait for it."""
        ...

    def cancel(self) -> object:
        """Drop it."""
        ...


def in_order(submit: Callable[[Span], Pending[Result]], spans: Iterable[Span], at_once: int) -> Iterator[Result]:
    """The results of spans in their order, with at most ``at_once`` of them handed out and not yet taken."""
    pending: deque[Pending[Result]] = deque()
    try:
        for span in spans:
            pending.append(submit(span))
            if len(pending) == at_once:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for each in pending:
            each.cancel()


@contextmanager
def opened(settings: ExecutionSettings) -> Iterator[Engine]:
    """The engine that the settings, or the environment variable ``LIKENESS_EXECUTION`` in their place, ask for.

    Raises:
        Problem: the variable is wrong; the cluster is not there or works with other code; Dask is not installed.
    """
    chosen = asked_for(settings)
    count = at_once(chosen)
    if chosen.engine == "here":
        yield HERE
    elif chosen.engine == "threads":
        yield Threads(count)
    elif chosen.engine == "processes":
        with workers(count) as pool:
            yield Processes(pool, count)
    else:
        try:
            from stages.execution import cluster  # Dask is an extra
        except ModuleNotFoundError as error:
            raise Problem(
                f"Dask is not installed ({error.name} is missing)",
                where="params.yaml, execution.engine",
                mend="pip install 'likeness[cluster]', or set it to processes",
            ) from error
        with cluster.connected(chosen.address, count) as engine:
            yield engine


def at_once(settings: ExecutionSettings) -> int:
    """How many spans an engine of this machine works on side by side."""
    if settings.engine == "here":
        return 1
    if settings.workers is not None:
        return settings.workers
    return min(processors(), THREADS) if settings.engine == "threads" else processors()


def asked_for(settings: ExecutionSettings) -> ExecutionSettings:
    """The settings, or those of the environment variable.

    Raises:
        Problem: it is wrong.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if not given:
        return settings
    try:
        raw = yaml.safe_load(given)
    except yaml.YAMLError as error:
        raise Problem(
            f"it is no YAML: {error}", where=VARIABLE, mend="write it as in params.yaml: {engine: processes}"
        ) from error
    return parse(ExecutionSettings, raw, where=VARIABLE, described="docs/settings.md")
