"""Reads the parameters of a dlib network out of its serialised ``.dat`` file, without dlib.

dlib writes a network from the input layer outwards. Each computing layer starts with its version name (a string)
followed by numbers and by one tensor of parameters:

* integer: a control byte (low four bits: count of bytes that follow; high bit: negative), then little-endian bytes;
* string: its length as an integer, then its bytes;
* tensor: the format number 2, the four dimensions as integers, then little-endian float32 values.

Only the layers that the face-recognition network uses are known here: ``con_4``, ``affine_`` and ``fc_2``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TENSOR_FORMAT = 2
LAYERS = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")

Kind = Literal["con", "affine", "fc"]


@dataclass(frozen=True)
class Layer:
    """One computing layer: its kind and its flat float32 parameters, in file order."""

    kind: Kind
    parameters: NDArray[np.float32]


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Value at ``at`` and the place after it; ValueError where no dlib integer can be."""
    control = data[at]
    count = control & 0x0F
    if count > 8 or control & 0x70:
        raise ValueError(f"no dlib integer at byte {at}")
    value = int.from_bytes(data[at + 1 : at + 1 + count], "little")
    return (-value if control & 0x80 else value), at + 1 + count


def _tensor(data: bytes, at: int) -> NDArray[np.float32]:
    """The flat values of the tensor at ``at``; ValueError where there is none or it is cut short."""
    version, at = _integer(data, at)
    if version != TENSOR_FORMAT:
        raise ValueError(f"no dlib tensor of format {TENSOR_FORMAT} at byte {at}")
    size = 1
    for _ in range(4):
        extent, at = _integer(data, at)
        size *= extent
    if at + 4 * size > len(data):
        raise ValueError(f"the dlib tensor at byte {at} is cut short")
    return np.frombuffer(data, dtype="<f4", count=size, offset=at).astype(np.float32)


def read_layers(path: Path) -> list[Layer]:
    """All computing layers of the network in ``path``, from the input outwards.

    Raises:
        ValueError: the file holds no dlib network of the known layers, or is cut short.
    """
    data = path.read_bytes()
    layers: list[Layer] = []
    for match in LAYERS.finditer(data):
        name = match.group()[2:]
        at = match.end()
        if name == b"fc_2":  # the counts of outputs and inputs come before the parameters
            _, at = _integer(data, at)
            _, at = _integer(data, at)
        kind: Kind = "con" if name == b"con_4" else "affine" if name == b"affine_" else "fc"
        layers.append(Layer(kind, _tensor(data, at)))
    if not layers:
        raise ValueError(f"{path} holds no dlib network")
    return layers
