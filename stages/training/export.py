"""Each identity's half of the network as ONNX in two precisions, the same bytes for the same weights, checked."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel
from torch import Tensor, nn

from stages.onnx import open_session
from stages.problems import Problem
from stages.training.networks import Network
from stages.training.networks.surface import Surface

OPSET: Final = 18
TOLERANCE: Final = 1e-3
"""Greatest difference from torch of any value 0..1: a quarter of an 8-bit step."""
HALF_TOLERANCE: Final = 1e-2
"""The same for the network in float16, whose own steps just below 1 are 0.0005 and add up from layer to layer."""

_HIERARCHY: Final = "pkg.torch.onnx.class_hierarchy"
"""Where the exporter notes which module a node is of."""
_SURFACE: Final = "surface/"


class _OneWay(nn.Module):
    """A network that draws one identity: crops (n, 3, s, s) to colour (n, 3, r, r) and mask (n, 1, r, r)."""

    def __init__(self, network: Network, identity: str) -> None:
        super().__init__()
        self.network, self.identity = network, identity

    def forward(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        answer = self.network.swap(crop, self.identity)
        return answer.rgb, answer.mask


def export(network: Network, identity: str, input_size: int, path: Path) -> None:
    """Write what draws one identity as ONNX: input ``crop``, outputs ``rgb`` and ``mask``, any batch size.

    Args:
        network: on any device; not changed.
        identity: whom it draws.
        input_size: side of the crop in pixels.
        path: of the file.
    """
    device = next(network.parameters()).device
    example = torch.zeros(2, 3, input_size, input_size, device=device)
    way = _OneWay(network, identity).eval()
    with _quiet():
        program = torch.onnx.export(
            way,
            (example,),
            input_names=["crop"],
            output_names=["rgb", "mask"],
            dynamic_shapes={"crop": {0: torch.export.Dim("n")}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    onnx.save(_anonymous(_marked(program.model_proto)), path)


def export_half(full: Path, path: Path) -> None:
    """Write an exported network in float16: weights and all between; input and outputs stay float32.

    A texture and the places on it stay float32 too: half precision tells places an eighth of a texel apart.

    Args:
        full: what :func:`export` wrote.
        path: of the new file.
    """
    model = onnx.load(full)
    kept = [node.name for node in model.graph.node if node.name.startswith(_SURFACE)]
    with _quiet():
        half = OnnxModel(convert_float_to_float16(model, keep_io_types=True, node_block_list=kept))
        # the converter goes to float16 and back between two nodes that are kept
        half.remove_cascaded_cast_nodes()
        half.remove_useless_cast_nodes()
    onnx.save(_anonymous(half.model), path)


def difference_from_torch(
    network: Network, identity: str, crops: Tensor, path: Path, *, threads: int, tolerance: float = TOLERANCE
) -> float:
    """Greatest difference between the ONNX file, run by onnxruntime on the CPU, and the network itself.

    Args:
        network: what was exported.
        identity: whom the file draws.
        crops: (n, 3, s, s) 0..1 to try it on.
        path: the file.
        threads: for onnxruntime.
        tolerance: the greatest difference that is allowed.

    Raises:
        Problem: it is greater.
    """
    session = open_session(path, device="cpu", threads=threads)
    found = session.run(["rgb", "mask"], {"crop": np.ascontiguousarray(crops.cpu().numpy())})
    with torch.no_grad():
        answer = network.swap(crops, identity)
    wanted = (answer.rgb, answer.mask)
    greatest = max(
        float(np.abs(np.asarray(one) - other.cpu().numpy()).max()) for one, other in zip(found, wanted, strict=True)
    )
    if not greatest <= tolerance:
        raise Problem(
            f"its answers differ from torch by {greatest:.2g}, more than {tolerance:g}",
            where=path,
            mend="report it with the versions of torch, onnx and onnxruntime; they do not fit together",
        )
    return greatest


def _marked(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with nodes of a :class:`Surface` called so: names outlast what :func:`_anonymous` takes away."""
    for node in model.graph.node:
        if any(part.key == _HIERARCHY and Surface.__qualname__ in part.value for part in node.metadata_props):
            node.name = _SURFACE + node.name
    return model


def _anonymous(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without what says where and by which version it was written."""
    model.ClearField("producer_version")
    model.ClearField("doc_string")
    del model.metadata_props[:]
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        part.ClearField("doc_string")
        del part.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output):
        value.ClearField("doc_string")
        del value.metadata_props[:]
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's remarks on missing packages and deprecations; the converter's on weights too small for float16 and
    on what it tidied up."""
    names = ("torch.onnx", "onnxscript", "onnx_ir", "onnxruntime.transformers")
    talkers = [logging.getLogger(name) for name in names]
    levels = [talker.level for talker in talkers]
    for talker in talkers:
        talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for talker, level in zip(talkers, levels, strict=True):
            talker.setLevel(level)
