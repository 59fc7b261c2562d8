"""What a failed stage leaves in the log: its own words, and no trace of the flow's code."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from flows.children import Stopped
from flows.stage import StageFailed


class WithoutTrace(logging.Filter):
    """Takes the trace out of Prefect's log line about a stage that failed: the fault is the stage's, which told it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, StageFailed | Stopped):
            record.exc_info = record.exc_text = None
        return True


@contextmanager
def without_trace() -> Iterator[None]:
    """Log no traces of stages that failed, in all tasks that run meanwhile."""
    logger, keeper = logging.getLogger("prefect.task_runs"), WithoutTrace()
    logger.addFilter(keeper)
    try:
        yield
    finally:
        logger.removeFilter(keeper)
