"""Family ``liae``: one decoder for all, told by the code whom to draw. It takes on more of the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from stages.training.networks.classic import initialise_
from stages.training.networks.network import Answer, Network, unlearnt
from stages.training.networks.saehd import Decoder, Inter, encoder
from stages.training.settings import NetworkSettings


class Liae(Network):
    """Encoder, inters and one decoder of two codes side by side.

    For two identities as the field has it: the first is drawn from [AB, AB], the second from [B, AB], where inter AB
    sees the crops of both and inter B those of the second alone. For more, every identity but the first has an inter
    of its own in B's place. A swap runs anyone's crops through the wanted identity's two inters.

    Args:
        identities: names, in order: the first has no inter of its own.
        settings: ``encoder_channels`` after each halving, ``decoder_channels`` after each doubling, of which the
            first is the inters' (usually twice ``latent``) and the last is at half of the answer's side.
    """

    def __init__(self, identities: Sequence[str], settings: NetworkSettings) -> None:
        super().__init__()
        shared, *channels = settings.decoder_channels
        self.encoder = encoder(settings)
        self.inter_shared = Inter(settings)
        self.inters = nn.ModuleDict({name: Inter(settings) for name in identities[1:]})
        self.decoder = Decoder(2 * shared, channels, settings.mask_channels)
        self.apply(initialise_)

    def forward(
        self,
        crops: Mapping[str, Tensor],
        mirrored: Mapping[str, Tensor] | None = None,
        drawn: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Answer]:
        """Reconstruct each identity's crops (n, 3, s, s); encoder and decoder see one batch of all."""
        counts = [len(batch) for batch in crops.values()]
        features = torch.split(unlearnt(self.encoder(torch.cat(list(crops.values()))), crops, drawn), counts)
        codes = torch.cat([self._code(each, name) for name, each in zip(crops, features, strict=True)])
        rgb, mask = self.decoder(codes)
        return {name: Answer(*both) for name, *both in zip(crops, rgb.split(counts), mask.split(counts), strict=True)}

    def swap(self, crops: Tensor, identity: str) -> Answer:
        """Give crops (n, 3, s, s) of anyone the likeness of ``identity``."""
        return Answer(*self.decoder(self._code(self.encoder(crops), identity)))

    def _code(self, features: Tensor, identity: str) -> Tensor:
        """Features (n, f) to the identity's own code and the shared one, (n, 2 * channels, h, w)."""
        shared = self.inter_shared(features)
        own = self.inters[identity](features) if identity in self.inters else shared
        return torch.cat([own, shared], dim=1)
