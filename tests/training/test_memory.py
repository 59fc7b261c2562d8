"""How much memory a block takes, the largest batch that fits, and the message when there is too little."""

from __future__ import annotations

import ctypes
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch

from stages.problems import Problem
from stages.training import memory
from stages.training.memory import PeakMemory, is_out_of_memory, largest_batch, memory_as_problem

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
MB = 1 << 20


def peaks_of_64_mb(pieces: int) -> list[int]:
    """What is seen of 64 MB that are taken and given back, three times."""
    torch.set_num_threads(1)
    peaks = []
    for _ in range(3):
        with PeakMemory(CPU) as peak:
            held = [torch.ones(64 * MB // 4 // pieces) for _ in range(pieces)]
            for _ in range(60):  # long enough to be looked at on a busy machine
                for piece in held:
                    piece.mul_(1.0)
            del held, piece
        peaks.append(peak.grown)
    return peaks


@pytest.mark.parametrize("pieces", [1, 64], ids=["whole", "in pieces"])
def test_the_peak_is_seen_even_if_the_memory_is_given_back_and_every_time(pieces: int) -> None:
    """Of pieces the allocator keeps many. In a process of its own: what other tests left may be freed meanwhile."""
    if pieces > 1 and not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("this system's allocator can not be asked to give memory back")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        for grown in process.submit(peaks_of_64_mb, pieces).result():
            assert 60 * MB < grown < 160 * MB


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_an_allocator_that_can_not_be_asked_is_left_alone(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", none)
    with PeakMemory(CPU) as peak:
        torch.ones(16 * MB).mul_(1.0)
    assert peak.grown > 0


class Attempts:
    """Ten bytes for each crop, until there is no more."""

    def __init__(self, refused_from: int = 1 << 30) -> None:
        self.tried: list[int] = []
        self.refused_from = refused_from

    def __call__(self, batch: int) -> int:
        self.tried.append(batch)
        if batch >= self.refused_from:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 10 * batch


@pytest.mark.parametrize(("free", "batch"), [(1, 1), (100, 8), (101, 8), (199, 8), (200, 16), (10**9, 32)])
def test_a_cpu_takes_the_largest_batch_within_four_fifths_of_what_is_free(
    free: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: free)
    attempts = Attempts()
    assert largest_batch(attempts, CPU) == batch
    assert max(attempts.tried) <= max(batch, 1), "a CPU is not driven out of memory to find out"


def test_what_training_holds_beside_a_batch_is_left_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 300)
    assert [largest_batch(Attempts(), CPU, kept) for kept in (0, 101, 300)] == [16, 8, 1]


@pytest.mark.parametrize(("refused_from", "batch"), [(1, 1), (2, 1), (64, 32), (1 << 30, 1024)])
def test_a_gpu_is_filled_until_it_refuses(refused_from: int, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 10**9)
    assert largest_batch(Attempts(refused_from), CUDA) == batch


def test_another_fault_of_a_batch_is_no_answer() -> None:
    def broken(batch: int) -> int:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        largest_batch(broken, CPU)


def test_a_refusal_by_the_cpu_names_the_settings_to_change() -> None:
    with (
        pytest.raises(Problem, match=r"(?s)training\.presets\.demo.*lower batch \(it is 8.*output_size"),
        memory_as_problem("demo", 8),
    ):
        torch.empty(1 << 60)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("FIND was unable to find an engine to execute this computation"),
    ],
)
def test_every_kind_of_refusal_is_known(error: Exception) -> None:
    assert is_out_of_memory(error)


def test_other_faults_pass() -> None:
    with pytest.raises(RuntimeError, match="something else"), memory_as_problem("demo", 8):
        raise RuntimeError("something else")
