"""dlib's face-recognition ResNet (29 convolutions, CC0) as an ONNX graph that insightface loads as a recogniser.

The network is that of dlib's ``dnn_face_recognition_ex.cpp`` (Davis King, 2017; after He et al. 2016): a 150-pixel
chip, a 7x7 stem, four groups of residual blocks (32, 64, 128, 256 channels), a mean over all places and a linear map
to 128 numbers. Batch normalisation is stored as a fixed scale and shift per channel and is folded into the
convolution before it.

insightface hands a recogniser the ArcFace crop, in which the five points lie elsewhere than in dlib's chip. Both are
similarity frames of the same face, so one fixed resampling takes the first to the second; it stands at the head of
the graph as two small matrix products, one along each axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from stages.packs.build.dlib_tensors import Layer

CHIP = 150
CROP = 256
MEAN_RGB = (122.782, 117.001, 104.298)
BLOCKS = ((32, 32, 32), (64, 64, 64, 64), (128, 128, 128), (256, 256, 256))
LAST = (256,)
"""The last block halves the places once more, without widening."""
OPSET = 17

CHIP_TOP_LEFT = (24.8, 45.7)
CHIP_SIDE = 206.4
"""Where dlib's chip (padding 0.25) lies in insightface's 256-pixel ArcFace crop, in pixels: so that the middles of the
eyes of dlib's mean face fall on those of the ArcFace template, with the same distance between them."""


def resampling(start: float, side: float, inside: int, out: int) -> NDArray[np.float32]:
    """The matrix (out, inside) that resamples ``side`` pixels from ``start`` on to ``out`` pixels along one axis.

    A triangle filter as wide as an output pixel: linear interpolation that does not alias when it shrinks.
    """
    step = side / out
    centres = start + (np.arange(out) + 0.5) * step
    distance = np.abs(centres[:, None] - (np.arange(inside) + 0.5)[None, :]) / max(step, 1.0)
    weights = np.clip(1.0 - distance, 0.0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


class _Graph:
    """Nodes and stored numbers of the graph being written."""

    def __init__(self, layers: list[Layer]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[onnx.TensorProto] = []
        self._layers: Iterator[Layer] = iter(layers)
        self._convolutions = 0

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        """Store an array as float16 where it holds weights, as it is otherwise; returns the name to read it by."""
        self.stored.append(numpy_helper.from_array(values, name))
        return name

    def weights(self, name: str, values: NDArray[np.float32]) -> str:
        """Store weights in half the room; the runtime widens them once, when it loads the graph."""
        half = self.constant(f"{name}.half", values.astype(np.float16))
        return self.node("Cast", [half], name, to=TensorProto.FLOAT)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes))
        return output

    def convolution(self, inside: str, kernel: int, channels: int, stride: int) -> str:
        """The next convolution of the file with its scale and shift folded in."""
        convolution, affine = next(self._layers), next(self._layers)
        if (convolution.kind, affine.kind) != ("con", "affine"):
            raise ValueError("the layers are not those of dlib's face-recognition network")
        weights = convolution.parameters[:-channels].reshape(channels, -1, kernel, kernel)
        scale, shift = affine.parameters.reshape(2, channels)
        name = f"conv{self._convolutions}"
        self._convolutions += 1
        padding = kernel // 2 if stride == 1 else 0  # dlib pads only where it does not stride
        kernel_name = self.weights(f"{name}.weight", weights * scale[:, None, None, None])
        bias_name = self.constant(f"{name}.bias", convolution.parameters[-channels:] * scale + shift)
        return self.node("Conv", [inside, kernel_name, bias_name], name, strides=[stride, stride], pads=[padding] * 4)

    def block(self, inside: str, channels: int, before: int, size: int, halve: bool) -> str:
        """A residual block; where it halves, dlib pads the smaller summand with zeros, in channels and in places."""
        stride = 2 if halve else 1
        first = self.node("Relu", [self.convolution(inside, 3, channels, stride)], f"{inside}.inner")
        deep = self.convolution(first, 3, channels, 1)
        if halve:
            shortcut = self.node("AveragePool", [inside], f"{inside}.pooled", kernel_shape=[2, 2], strides=[2, 2])
            deep_size, short_size = (size - 3) // 2 + 1, size // 2
            deep = self.pad(deep, 0, short_size - deep_size)
            inside = self.pad(shortcut, channels - before, 0)
        total = self.node("Add", [deep, inside], f"{deep}.sum")
        return self.node("Relu", [total], f"{deep}.out")

    def pad(self, inside: str, channels: int, places: int) -> str:
        if channels == 0 and places == 0:
            return inside
        pads = self.constant(f"{inside}.pads", np.array([0, 0, 0, 0, 0, channels, places, places], np.int64))
        return self.node("Pad", [inside, pads], f"{inside}.padded")

    def linear(self, inside: str, output: str) -> str:
        layer = next(self._layers)
        if layer.kind != "fc":
            raise ValueError("the layers are not those of dlib's face-recognition network")
        return self.node("MatMul", [inside, self.weights("fc.weight", layer.parameters.reshape(256, 128))], output)


def face_resnet(layers: list[Layer]) -> onnx.ModelProto:
    """The recogniser: ``crop`` float32 (n, 3, 256, 256) RGB 0..255 -> ``embedding`` float32 (n, 128), not normalised.

    The tensor ``chip`` inside is dlib's own input, float32 (n, 3, 150, 150) RGB 0..255.

    Raises:
        ValueError: the layers are not those of the network.
    """
    graph = _Graph(layers)
    rows = graph.constant("rows", resampling(CHIP_TOP_LEFT[1], CHIP_SIDE, CROP, CHIP))
    columns = graph.constant("columns", resampling(CHIP_TOP_LEFT[0], CHIP_SIDE, CROP, CHIP).T.copy())
    chip = graph.node("MatMul", [graph.node("MatMul", [rows, "crop"], "chip_rows"), columns], "chip")
    # insightface takes nodes named Sub and Mul at the head as the sign that the graph scales its own input
    mean = graph.constant("mean", np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1))
    scale = graph.constant("scale", np.array(1 / 256, np.float32))
    scaled = graph.node("Mul", [graph.node("Sub", [chip, mean], "centred"), scale], "scaled")
    stem = graph.node("Relu", [graph.convolution(scaled, 7, 32, 2)], "stem")
    places = graph.node("MaxPool", [stem], "pooled", kernel_shape=[3, 3], strides=[2, 2])
    size = ((CHIP - 7) // 2 + 1 - 3) // 2 + 1
    for channels in BLOCKS[0]:
        places = graph.block(places, channels, channels, size, halve=False)
    for previous, group in pairwise((*BLOCKS, LAST)):
        for index, channels in enumerate(group):
            before = previous[-1] if index == 0 else channels
            places = graph.block(places, channels, before, size, halve=index == 0)
            size = size // 2 if index == 0 else size
    mean_out = graph.node("GlobalAveragePool", [places], "mean_out")
    graph.linear(graph.node("Flatten", [mean_out], "flat"), "embedding")
    inputs = [helper.make_tensor_value_info("crop", TensorProto.FLOAT, ["n", 3, CROP, CROP])]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 128])]
    body = helper.make_graph(graph.nodes, "face_resnet", inputs, outputs, graph.stored)
    model = helper.make_model(
        body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="likeness"
    )
    onnx.checker.check_model(model, full_check=True)
    return model
