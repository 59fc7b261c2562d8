"""The swap network: one encoder for all identities, one decoder for each."""

from stages.training.networks.decoder import Decoder
from stages.training.networks.encoder import Encoder
from stages.training.networks.swap_network import SwapNetwork

__all__ = ["Decoder", "Encoder", "SwapNetwork"]
