"""The trained network as ONNX."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from stages.visibility.network import VisibilityNetwork

OPSET = 20


class _Visible(nn.Module):
    def __init__(self, network: VisibilityNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, crop: Tensor) -> Tensor:
        return torch.sigmoid(self.network(crop))


def write_onnx(network: VisibilityNetwork, size: int, path: Path) -> None:
    """Write the network: input ``crop`` float32 (n, 3, size, size) 0..1, output ``visible`` (n, 1, size, size) 0..1."""
    # the exporter tells of its own affairs
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Visible(network).eval(),
            (torch.zeros(2, 3, size, size),),
            input_names=["crop"],
            output_names=["visible"],
            dynamic_shapes={"crop": {0: torch.export.Dim("n")}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    # where the code lay on the machine that exported it is nobody's business, and would change the bytes
    for node in model.graph.node:
        del node.metadata_props[:]
    onnx.save(model, path)
