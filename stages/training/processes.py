"""Several processes that train one state: each takes its share of every batch, gradients are averaged.

Started by torchrun, for instance ``torchrun --nproc-per-node 2 -m stages.training PAIR`` for two GPUs of one machine.
Batches are drawn and augmented whole in every process, so no picture depends on how many there are; what that costs
twice is small beside the network's two passes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from stages.problems import Problem
from stages.training.augment import Batch
from stages.training.settings import TrainingSettings


@dataclass(frozen=True)
class Processes:
    """This process among all that train together.

    Attributes:
        rank: its number, from 0. The first one alone writes.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def share(self, batch: Batch) -> Batch:
        """This process's part of a batch; the parts are alike in size."""
        each = len(batch.crops) // self.count
        return Batch(*(part[self.rank * each : (self.rank + 1) * each] for part in batch))

    def replicate(self, network: nn.Module) -> nn.Module:
        """The network to train through: its backward pass averages gradients over all processes."""
        return network if self.count == 1 else DistributedDataParallel(network)

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes, the same in each."""
        if self.count > 1:
            dist.all_reduce(values)
            values /= self.count
        return values

    def of_first(self, numbers: list[int], device: torch.device) -> list[int]:
        """The numbers that the first process has."""
        if self.count == 1:
            return numbers
        told = torch.tensor(numbers, dtype=torch.int64, device=device)
        dist.broadcast(told, src=0)
        return [int(number) for number in told.tolist()]

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            dist.barrier()

    def require_shares(self, settings: TrainingSettings) -> None:
        """Check that the work can be shared.

        Raises:
            Problem: batches are not settled, or not a multiple of the processes; or compiled passes, a critic or a loss
                that leaves mask or colour out are asked for, which are of one process only.
        """
        batch = settings.chosen.batch
        if self.count > 1 and (batch == "auto" or batch % self.count):
            raise Problem(
                f"{self.count} processes can not share a batch of {batch}",
                where=f"params.yaml, training.presets.{settings.preset}: batch",
                mend=f"set it to a multiple of {self.count}",
            )
        if self.count > 1 and settings.compile:
            raise Problem(
                "passes are compiled in one process only",
                where="params.yaml, training.compile",
                mend="set it to false, or train in one process",
            )
        if self.count > 1 and settings.chosen.adversary.weight:
            raise Problem(
                "the critic of several processes would not be one",
                where=f"params.yaml, training.presets.{settings.preset}: adversary.weight",
                mend="set it to 0, or train in one process",
            )
        losses = settings.chosen.losses
        if self.count > 1 and not (losses.mask and losses.judge_colour):
            # each waits for the others' gradients of all weights, and those of a head without a term never come
            raise Problem(
                f"several processes can not share a loss that leaves the {'colour' if losses.mask else 'mask'} out",
                where=f"params.yaml, training.presets.{settings.preset}: losses",
                mend="give a term for it a weight, or train in one process",
            )


ALONE = Processes()
"""The usual case."""


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Meet the other processes, if torchrun started this one with others.

    Args:
        device: "cuda" takes the GPU of the process's number on its machine as current.
    """
    if not dist.is_torchelastic_launched():
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    processes = Processes(dist.get_rank(), dist.get_world_size())
    if not processes.first:
        logging.getLogger("stages").setLevel(logging.WARNING)
    yield processes
    # after an exception the others may never come: then torchrun ends them
    dist.destroy_process_group()
