"""Each identity's half of the network as ONNX in two precisions, the same bytes for the same weights, checked."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel
from torch import Tensor, nn

from stages.onnx import open_session, options_for
from stages.problems import Problem
from stages.training.networks import Network
from stages.training.networks.classic import PixelNorm
from stages.training.networks.surface import Surface

OPSET: Final = 18
TOLERANCE: Final = 1e-3
"""Greatest difference from torch of any value 0..1: a quarter of an 8-bit step."""
HALF_TOLERANCE: Final = 1.0 / 255.0
"""What 999 of 1,000 values of the network in float16 are to be near by: an 8-bit step. Its own steps just below 1 are
0.0005 and add up from layer to layer; on the edge of a sharp mask single values differ by more."""
_NEARLY_ALL: Final = 0.999

_HIERARCHY: Final = "pkg.torch.onnx.class_hierarchy"
"""Where the exporter notes which module a node is of."""
_WHOLE: Final = "whole/"
"""Begins the names of nodes that stay float32 in float16."""
_KEPT: Final = (Surface.__qualname__, PixelNorm.__qualname__)


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

    A texture and the places on it stay float32 too: half precision tells places an eighth of a texel apart. So does
    what leaves its range, which ends at 65,504: sums before a layer norm, and the squares of a pixel norm.

    Args:
        full: what :func:`export` wrote.
        path: of the new file.
    """
    model = onnx.load(full)
    with _quiet():
        half = OnnxModel(convert_float_to_float16(model, keep_io_types=True, node_block_list=_kept_whole(model)))
        # the converter goes to float16 and back between two nodes that are kept
        half.remove_cascaded_cast_nodes()
        half.remove_useless_cast_nodes()
        half.topological_sort()
    # what it notes of values between nodes is wrong beside the nodes that are kept
    del half.model.graph.value_info[:]
    onnx.save(_anonymous(half.model), path)


def _kept_whole(model: onnx.ModelProto) -> list[str]:
    """The nodes that float16 can not compute, or not well enough."""
    made = {value: node.name for node in model.graph.node for value in node.output}
    kept = [node.name for node in model.graph.node if node.name.startswith(_WHOLE)]
    for node in model.graph.node:
        if node.op_type == "LayerNormalization":
            kept += [node.name, *filter(None, [made.get(node.input[0])])]  # none makes what comes in from outside
    return kept


@dataclass(frozen=True)
class HalfDifference:
    """By how much a network in float16 differs from the network itself, of values 0..1; None if not finite.

    Attributes:
        greatest: of all values.
        nearly_all: what 999 of 1,000 values do not exceed.
        finite: whether every value between input and output lies in float16's range.
    """

    greatest: float | None
    nearly_all: float | None
    finite: bool

    @property
    def good(self) -> bool:
        """Whether it may be used in place of the network."""
        return self.finite and self.nearly_all is not None and self.nearly_all <= HALF_TOLERANCE


def difference_of_half(network: Network, identity: str, crops: Tensor, path: Path, *, threads: int) -> HalfDifference:
    """What is lost in float16. It only measures: a training that is over is not to fail for it.

    onnxruntime's CPU computes a graph of float16 in float32 and shows nothing of its range, unless a value is asked
    for: so every one of them is.

    Args:
        network: what was exported.
        identity: whom the file draws.
        crops: (n, 3, s, s) 0..1 to try it on, one at a time.
        path: what :func:`export_half` wrote.
        threads: for onnxruntime.
    """
    session = ort.InferenceSession(_all_handed_out(path), options_for(threads), providers=["CPUExecutionProvider"])
    finite, differences = True, []
    for number in range(len(crops)):
        crop = crops[number : number + 1]
        try:
            rgb, mask, *between = session.run(None, {"crop": np.ascontiguousarray(crop.cpu().numpy())})
        except Exception:  # of onnxruntime's own kinds: places that are no numbers lead nowhere
            return HalfDifference(None, None, finite=False)
        finite &= all(bool(np.isfinite(value).all()) for value in between)
        with torch.no_grad():
            answer = network.swap(crop, identity)
        for found, wanted in ((rgb, answer.rgb), (mask, answer.mask)):
            differences.append(np.abs(np.asarray(found) - wanted.cpu().numpy()).ravel())
    everything = np.concatenate(differences)
    if not np.isfinite(everything).all():
        return HalfDifference(None, None, finite=False)
    return HalfDifference(float(everything.max()), float(np.quantile(everything, _NEARLY_ALL)), finite)


def _all_handed_out(path: Path) -> bytes:
    """The model with every float16 value between its nodes as a further output."""
    model = onnx.load(path)
    inferred = onnx.shape_inference.infer_shapes(model)
    types = {value.name: value.type.tensor_type.elem_type for value in inferred.graph.value_info}
    for node in model.graph.node:
        for value in node.output:
            if types.get(value) == onnx.TensorProto.FLOAT16:
                model.graph.output.append(onnx.helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT16, None))
    return bytes(model.SerializeToString())


def difference_from_torch(network: Network, identity: str, crops: Tensor, path: Path, *, threads: int) -> float:
    """Greatest difference between the ONNX file, run by onnxruntime on the CPU, and the network itself.

    Args:
        network: what was exported.
        identity: whom the file draws.
        crops: (n, 3, s, s) 0..1 to try it on.
        path: the file.
        threads: for onnxruntime.

    Raises:
        Problem: it is greater than :data:`TOLERANCE`.
    """
    session = open_session(path, device="cpu", threads=threads)
    found = session.run(["rgb", "mask"], {"crop": np.ascontiguousarray(crops.cpu().numpy())})
    with torch.no_grad():
        answer = network.swap(crops, identity)
    wanted = (answer.rgb, answer.mask)
    greatest = max(
        float(np.abs(np.asarray(one) - other.cpu().numpy()).max()) for one, other in zip(found, wanted, strict=True)
    )
    if not greatest <= TOLERANCE:
        raise Problem(
            f"its answers differ from torch by {greatest:.2g}, more than {TOLERANCE:g}",
            where=path,
            mend="report it with the versions of torch, onnx and onnxruntime; they do not fit together",
        )
    return greatest


def _marked(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with nodes of modules that stay float32 called so: names outlast what :func:`_anonymous` takes away."""
    for node in model.graph.node:
        for part in node.metadata_props:
            if part.key == _HIERARCHY and any(name in part.value for name in _KEPT):
                node.name = _WHOLE + node.name
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
