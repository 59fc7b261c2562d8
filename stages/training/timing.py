"""How long work takes on a device that is not waited for by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def mean_seconds(work: Callable[[], object], device: torch.device, calls: int) -> float:
    """Seconds of one call, mean over some, the device waited for at the end; a first one, which picks kernels, is not
    counted.

    Args:
        work: what to time.
        device: that it runs on.
        calls: how many to time, at least 1.
    """
    work()
    finish(device)
    started = time.perf_counter()
    for _ in range(calls):
        work()
    finish(device)
    return (time.perf_counter() - started) / calls


def mean_seconds_within(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """As :func:`mean_seconds`, over as many calls as fit into the seconds, at least one."""
    once = mean_seconds(work, device, 1)
    return mean_seconds(work, device, max(1, round(seconds / max(once, 1e-6))))


def finish(device: torch.device) -> None:
    """Wait for the device, so that a clock tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
