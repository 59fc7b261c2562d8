"""Training on a face as the other one's decoder draws it: what a decoder will be asked for at a swap.

A decoder learns from the codes of its own person, and at a swap gets those of somebody else, which are not the same: a
code holds a little of whose face it was made of. So some of a person's crops are drawn as the other one by the other's
decoder, and the person's own decoder is asked for the truth from that. The picture it sees is a swap, but the answer is
no guess: it is the crop that the swap was made of. That is back-translation (Sennrich et al. 2016, "Improving neural
machine translation models with monolingual data"; without any parallel text Lample et al. 2018), with faces for
languages.

The encoder learns nothing from it, only what comes behind it: decoders, and in the family ``liae`` what makes the codes
of its features. A drawn face is not quite where the true one is, and an encoder that were taught to make up
for that would read true faces worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional as F

from stages.training.augment import Batch
from stages.training.networks import Network
from stages.training.processes import Processes
from stages.training.settings import BackTranslationSettings


def beginning(iterations: int, settings: BackTranslationSettings) -> int:
    """The first iteration (from 0) of a run of so many that has crops drawn as the other one."""
    return round(settings.start * iterations)


def chosen_rows(share: float, size: int, processes: Processes) -> Tensor:
    """Which crops of this process's part of a batch are drawn as the other one, (n,) bool.

    They lie evenly in the whole batch, so that how many processes train together makes no difference.

    Args:
        share: of the batch, 0..1.
        size: of this process's part, n.
        processes: who trains together.
    """
    first = processes.rank * size
    steps = torch.arange(first, first + size + 1, dtype=torch.float64) * share
    whole = torch.floor(steps + 1e-9)  # a tenth of ten is one
    return whole[1:] > whole[:-1]


@torch.no_grad()
def drawn_as_each_other(
    network: Network, batches: Mapping[str, Batch], rows: Tensor
) -> tuple[dict[str, Batch], dict[str, Tensor]]:
    """The batches of all identities; of the pair's two, which come first, some crops are drawn as the other one.

    The drawn face lies over the crop that it was made of, by its own mask and the true one together, since that is how
    a finished swap looks.

    Args:
        network: that draws; it learns nothing of it.
        batches: augmented, of the pair's two and then of companions, who are never drawn.
        rows: (n,) bool on the CPU, which crops.

    Returns:
        The batches, and of each which crops were drawn, (n,) bool on its device.
    """
    both = tuple(islice(batches, 2))
    where = {name: rows if name in both and len(both) == 2 else torch.zeros_like(rows) for name in batches}
    drawn = dict(batches)
    if len(both) == 2 and bool(rows.any()):
        for name, other in (both, both[::-1]):
            drawn[name] = _drawn(network, batches[name], other, rows)
    return drawn, {name: each.to(batches[name].crops.device, non_blocking=True) for name, each in where.items()}


def _drawn(network: Network, batch: Batch, other: str, rows: Tensor) -> Batch:
    where = rows.nonzero()[:, 0].to(batch.crops.device, non_blocking=True)
    seen = batch.crops[where]
    answer = network.swap(seen.contiguous(memory_format=torch.channels_last), other).float()
    mask = _at(torch.maximum(answer.mask, batch.mask[where]), seen.shape[-1])
    face = _at(answer.rgb, seen.shape[-1])
    return batch._replace(crops=batch.crops.index_copy(0, where, torch.lerp(seen, face, mask.expand_as(face))))


def _at(pictures: Tensor, size: int) -> Tensor:
    """Pictures (n, c, r, r) at another size, by averaging where it is smaller."""
    if pictures.shape[-1] == size:
        return pictures
    way = "area" if pictures.shape[-1] > size else "bilinear"
    return F.interpolate(pictures, size=(size, size), mode=way)
