"""Memory: how much an iteration takes, how large a batch may be, and what to say when there is too little."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import psutil
import torch

from stages.problems import Problem

LARGEST_ON_CPU: Final = 32
"""Batches beyond this take a CPU longer for the same number of faces, and iterations are what it lacks."""
LARGEST_ON_CUDA: Final = 1024
_SHARE: Final = 0.8
"""Share of the free memory that training may fill; the rest is for held-out faces and other programs."""
_SECONDS_BETWEEN_LOOKS: Final = 0.002
_REFUSALS: Final = (
    "can't allocate memory",
    "not enough memory",
    "CUDA error: out of memory",
    "_STATUS_ALLOC_FAILED",
    "unable to find an engine to execute",
)
"""What torch says where it has no exception type of its own: its CPU allocator, on POSIX and on Windows; a GPU that
others have filled; cuBLAS and cuDNN; and cuDNN where no way of computing finds room to work."""


class PeakMemory:
    """The memory that a block takes beyond what was in use before, at its peak.

    torch counts it exactly on CUDA. On a CPU the process's resident memory is looked at every few milliseconds; what
    the allocator kept of earlier work goes back to the system first, or the block could use it without growing.

    Attributes:
        grown: bytes, when the block has ended.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.grown = 0

    def __enter__(self) -> Self:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = torch.cuda.memory_allocated(self._device)
            return self
        _give_back_what_was_freed()
        self._before = self._resident()
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device.type == "cuda":
            self.grown = torch.cuda.max_memory_allocated(self._device) - self._before
            return
        self._ended.set()
        self._looking.join()

    def _look(self) -> None:
        while True:
            self.grown = max(self.grown, self._resident() - self._before)
            if self._ended.wait(_SECONDS_BETWEEN_LOOKS):
                return

    @staticmethod
    def _resident() -> int:
        return int(psutil.Process().memory_info().rss)


def _give_back_what_was_freed() -> None:
    """Have the allocator return free pages to the system. Only glibc's can be asked, which is the one that hoards."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another libc, no libc by that way, Windows
        return
    trim(0)


def free_memory(device: torch.device) -> int:
    """Bytes that the device could still give."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    return int(psutil.virtual_memory().available)


def largest_batch(attempt: Callable[[int], int], device: torch.device, kept: int = 0) -> int:
    """The largest power of two that is tried with success.

    On CUDA batches are doubled until the memory is refused or full. A CPU's system rather ends a process than refuse it
    memory, so there a batch is tried only if twice what half of it took is there.

    Args:
        attempt: takes a batch, gives the bytes that an iteration with it took; out of memory it raises.
        device: where.
        kept: bytes that training will hold there beside it, and that no attempt takes.

    Returns:
        At least 1, whether that fits or not.
    """
    room = int(_SHARE * (free_memory(device) - kept))
    most = LARGEST_ON_CUDA if device.type == "cuda" else LARGEST_ON_CPU
    best, batch = 1, 1
    while batch <= most:
        try:
            taken = attempt(batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            break
        if taken > room:
            break
        best = batch
        if device.type == "cpu" and 2 * taken > room:
            break
        batch *= 2
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return best


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it is what torch or Python raise when the memory is spent."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _REFUSALS)


@contextmanager
def memory_as_problem(preset: str, batch: int | str) -> Iterator[None]:
    """Turn running out of memory into a message that names the settings to change.

    Args:
        preset: its name.
        batch: as set there.

    Raises:
        Problem: as said.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise Problem(
            "the memory does not hold it",
            where=f"params.yaml, training.presets.{preset}",
            mend=f"lower batch (it is {batch}; `auto` picks the largest that fits), stored_size, network.output_size "
            "or the network's channels; a checkpoint that was kept serves only with the same settings",
        ) from error
