"""The open pack's recogniser as a torch network, so that a loss can be learnt through it.

The weights are read from its ONNX file, the layers are those of :mod:`stages.packs.build.face_resnet`; a test compares
the two. Gradients are deterministic on a GPU too: there is no maximum pooling of overlapping windows, whose gradient
torch may add up there in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Final

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from stages.packs.build.face_resnet import BLOCKS, LAST, MEAN_RGB
from stages.problems import Problem

_GROUPS: Final = (*BLOCKS, LAST)


class Embedder(nn.Module):
    """dlib's face-recognition ResNet (King 2017, after He et al. 2016), frozen.

    Args:
        weights: by their names in the file: ``conv<i>.weight.half``, ``conv<i>.bias``, ``fc.weight.half``.

    Raises:
        KeyError: one is missing.
    """

    mean: Tensor
    linear: Tensor

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        count = 1 + 2 * sum(len(group) for group in _GROUPS)
        for number in range(count):
            self.register_buffer(f"kernel{number}", weights[f"conv{number}.weight.half"].float(), persistent=False)
            self.register_buffer(f"bias{number}", weights[f"conv{number}.bias"].float(), persistent=False)
        self.register_buffer("linear", weights["fc.weight.half"].float(), persistent=False)
        self.register_buffer("mean", torch.tensor(MEAN_RGB).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def read(cls, path: Path) -> Embedder:
        """The network of a pack's file.

        Args:
            path: ``recognition.onnx`` of the open pack.

        Raises:
            Problem: it holds another network.
        """
        stored = onnx.load(path).graph.initializer
        try:
            return cls({one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in stored})
        except KeyError as error:
            raise Problem(
                f"it is not the open pack's recogniser: it has no {error}",
                where=path,
                mend="restore it: `git checkout data/packs`",
            ) from None

    def forward(self, chips: Tensor) -> Tensor:
        """Embeddings (n, 128), not normalised, of dlib's chips (n, 3, 150, 150) RGB 0..1."""
        places = F.relu(self._convolved(0, (chips * 255 - self.mean) / 256, stride=2))
        places = _pooled(places)
        number = 1
        for _ in BLOCKS[0]:
            places = self._block(number, places, halve=False)
            number += 2
        for _, group in pairwise(_GROUPS):
            for index in range(len(group)):
                places = self._block(number, places, halve=index == 0)
                number += 2
        embeddings: Tensor = places.mean(dim=(2, 3)) @ self.linear
        return embeddings

    def _convolved(self, number: int, places: Tensor, stride: int = 1) -> Tensor:
        """dlib pads only where it does not stride."""
        kernel, bias = self.get_buffer(f"kernel{number}"), self.get_buffer(f"bias{number}")
        return F.conv2d(places, kernel, bias, stride, padding=kernel.shape[-1] // 2 if stride == 1 else 0)

    def _block(self, number: int, places: Tensor, halve: bool) -> Tensor:
        """A residual block; where it halves, the smaller summand is padded with zeros, in channels and in places."""
        inner = F.relu(self._convolved(number, places, stride=2 if halve else 1))
        deep = self._convolved(number + 1, inner)
        if halve:
            places = F.avg_pool2d(places, 2)
            missing = places.shape[-1] - deep.shape[-1]
            deep = F.pad(deep, (0, missing, 0, missing))
            places = F.pad(places, (0, 0, 0, 0, 0, deep.shape[1] - places.shape[1]))
        return F.relu(deep + places)


def _pooled(places: Tensor) -> Tensor:
    """Maximum pooling, 3 x 3 with stride 2, along one axis and then the other."""
    height, width = places.shape[-2:]
    rows = reduce(torch.maximum, [places[..., shift : height - 2 + shift : 2, :] for shift in range(3)])
    return reduce(torch.maximum, [rows[..., shift : width - 2 + shift : 2] for shift in range(3)])
