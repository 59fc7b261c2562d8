"""What every family of swap networks can do; training, judging and export ask for nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Answer(NamedTuple):
    """What a decoder gives for n crops: ``rgb`` (n, 3, r, r) and ``mask`` (n, 1, r, r), float32 0..1; of one with a
    texture also ``chart`` (n, 2, r, r), see :mod:`stages.training.chart`.

    In training ``sides`` may hold colour and mask at r/2, r/4 and so on; for a swap it is empty.
    """

    rgb: Tensor
    mask: Tensor
    chart: Tensor | None = None
    sides: tuple[Answer, ...] = ()

    def float(self) -> Answer:
        """The same in float32."""
        chart = None if self.chart is None else self.chart.float()
        return Answer(self.rgb.float(), self.mask.float(), chart, tuple(side.float() for side in self.sides))


class Network(nn.Module):
    """A swap network of any family."""

    def forward(
        self,
        crops: Mapping[str, Tensor],
        mirrored: Mapping[str, Tensor] | None = None,
        drawn: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Answer]:
        """Reconstruct each identity's crops (n, 3, s, s) 0..1 as that identity.

        Mirrored says of each crop, (n,) bool, whether it shows its person mirrored; None: no crop does. Only networks
        with a texture heed it. Drawn says which crops, (n,) bool, the encoder must not learn from, see
        :mod:`stages.training.back_translation`; None: none.
        """
        raise NotImplementedError

    def swap(self, crops: Tensor, identity: str) -> Answer:
        """Give crops (n, 3, s, s) 0..1 of anyone the likeness of ``identity``."""
        raise NotImplementedError


class SharedEncoder(Network):
    """One encoder for all identities, a decoder for each; a swap is a decoder fed with someone else's code.

    Attributes:
        encoder: crops (n, 3, s, s) to the features that every decoder starts from.
        decoders: by identity; features to rgb (n, 3, r, r) and mask (n, 1, r, r).
    """

    encoder: nn.Module
    decoders: nn.ModuleDict

    def forward(
        self,
        crops: Mapping[str, Tensor],
        mirrored: Mapping[str, Tensor] | None = None,
        drawn: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Answer]:
        """Reconstruct each identity's crops (n, 3, s, s) with its own decoder; the encoder sees one batch of all."""
        together = unlearnt(self.encoder(torch.cat(list(crops.values()))), crops, drawn)
        features = torch.split(together, [len(batch) for batch in crops.values()])
        return {
            name: self._trained(each, name, None if mirrored is None else mirrored[name])
            for name, each in zip(crops, features, strict=True)
        }

    def swap(self, crops: Tensor, identity: str) -> Answer:
        """Give crops (n, 3, s, s) of anyone the likeness of ``identity``."""
        return Answer(*self.decoders[identity](self.encoder(crops)))

    def _trained(self, features: Tensor, identity: str, mirrored: Tensor | None) -> Answer:
        """What training compares with the truth; mirrored as :meth:`forward` has it."""
        del mirrored
        return Answer(*self.decoders[identity](features))


def unlearnt(features: Tensor, crops: Mapping[str, Tensor], drawn: Mapping[str, Tensor] | None) -> Tensor:
    """Features (n, ...) of all crops one after another, cut off from the encoder where these were drawn, see
    :meth:`Network.forward`."""
    if drawn is None:
        return features
    rows = torch.cat([drawn[name] for name in crops]).view(-1, *[1] * (features.ndim - 1))
    return torch.where(rows, features.detach(), features)
