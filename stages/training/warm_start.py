"""A pair's first weights from the shared base, in place of chance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from stages.artifacts.base import Base
from stages.problems import Problem
from stages.training.networks import Network, SwapNetwork


@torch.no_grad()
def warm_start(network: Network, folder: Path) -> None:
    """Give the network the base's encoder, and every decoder the base's: a face in general, to become somebody's.

    A network without a texture takes the base without its own. Side outputs, which the base has not, start from chance.

    Args:
        network: changed in place.
        folder: the base's.

    Raises:
        Problem: the base is missing or damaged, or was made for a network of other sizes or of another family.
    """
    base = Base.read(folder)
    if not isinstance(network, SwapNetwork):
        raise Problem(
            "it is of the family 'likeness', the preset's network is of another",
            where=folder,
            mend="take training.presets.<name>.base out, or network.family",
        )
    try:
        network.encoder.load_state_dict(base.part("encoder"))
        decoder = base.part("decoder")
        for own in network.decoders.values():
            _load(own, decoder)
    except RuntimeError as error:
        raise Problem(
            f"it does not fit the preset's network ({str(error).splitlines()[-1].strip()})",
            where=folder,
            mend=f"give the preset the network of its facts.json ({base.facts.get('recipe', {}).get('network')}), or "
            "take training.presets.<name>.base out",
        ) from error


def _load(decoder: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Take what both have; a texture alone may be left over, and side outputs alone stay as they are."""
    own = decoder.state_dict()
    taken = {name: each for name, each in weights.items() if name in own or not name.startswith("surface.")}
    decoder.load_state_dict({**{name: each for name, each in own.items() if name.startswith("sides.")}, **taken})
