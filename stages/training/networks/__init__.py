"""Swap networks: families of autoencoders that draw one person from what another does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from stages.training.networks.decoder import Decoder
from stages.training.networks.df import Df
from stages.training.networks.encoder import Encoder
from stages.training.networks.liae import Liae
from stages.training.networks.network import Answer, Network
from stages.training.networks.original import Original
from stages.training.networks.swap_network import SwapNetwork
from stages.training.settings import Family, NetworkSettings

__all__ = [
    "FAMILIES",
    "Answer",
    "Decoder",
    "Df",
    "Encoder",
    "Liae",
    "Network",
    "Original",
    "SwapNetwork",
    "build_network",
]

FAMILIES: Final[Mapping[Family, type[SwapNetwork | Original | Df | Liae]]] = {
    "likeness": SwapNetwork,
    "original": Original,
    "df": Df,
    "liae": Liae,
}


def build_network(identities: Sequence[str], settings: NetworkSettings) -> Network:
    """The network of the family that the settings name, with fresh weights from torch's global chance."""
    return FAMILIES[settings.family](identities, settings)
