"""YuNet (OpenCV Zoo, MIT) with the inputs and outputs of an SCRFD detector, so that insightface loads it.

YuNet (Wu et al. 2023) is an anchor-free detector with one prediction per place at strides 8, 16 and 32: a class score,
an objectness, a box as centre shift and log size, and five points as shifts, all in units of the stride. SCRFD
(Guo et al. 2021), as insightface reads it, has two predictions per place: a score, the distances from the place to
the box's four sides, and the five points' shifts. The graph made here takes insightface's input scaling back, hands
YuNet its BGR codes, rewrites its outputs, and gives every place a second prediction with score 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

STRIDES = (8, 16, 32)
INSIGHTFACE_MEAN = 127.5
INSIGHTFACE_STD = 128.0


class _Tail:
    """The nodes and numbers that are put around YuNet's own."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[onnx.TensorProto] = []

    def constant(self, name: str, values: list[float] | float | NDArray[np.generic]) -> str:
        array = np.asarray(values, np.float32) if not isinstance(values, np.ndarray) else values
        self.stored.append(numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes))
        return output


def yunet_as_scrfd(yunet: onnx.ModelProto) -> onnx.ModelProto:
    """The detector: ``input`` float32 (1, 3, h, w) RGB, (code - 127.5) / 128, h and w multiples of 32.

    Outputs, nine, for strides 8, 16, 32: scores (n, 1) in 0..1, boxes (n, 4) and points (n, 10) in units of the stride.

    Raises:
        ValueError: the model is not YuNet with its twelve outputs.
    """
    expected = {f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES}
    if {output.name for output in yunet.graph.output} != expected:
        raise ValueError("the model is not YuNet: its outputs are not cls, obj, bbox and kps at strides 8, 16 and 32")
    inside = yunet.graph.input[0].name
    head, tail = _Tail(), _Tail()
    std = head.constant("insightface_std", INSIGHTFACE_STD)
    mean = head.constant("insightface_mean", INSIGHTFACE_MEAN)
    codes = head.node("Add", [head.node("Mul", ["input.1", std], "centred_codes"), mean], "rgb_codes")
    backwards = head.constant("backwards", np.array([2, 1, 0], np.int64))
    head.node("Gather", [codes, backwards], inside, axis=1)

    tail.constant("zero", 0.0)
    tail.constant("half", 0.5)
    for count in (1, 4, 10):
        tail.constant(f"rows_of_{count}", np.array([-1, count], np.int64))
    tail.constant("shift_part", np.array([0, 1], np.int64))
    tail.constant("size_part", np.array([2, 3], np.int64))
    for stride in STRIDES:
        _rewrite(tail, stride)

    outputs = [
        helper.make_tensor_value_info(f"{kind}_{stride}", TensorProto.FLOAT, ["n", width])
        for kind, width in (("score", 1), ("box", 4), ("points", 10))
        for stride in STRIDES
    ]
    body = helper.make_graph(
        [*head.nodes, *yunet.graph.node, *tail.nodes],
        "yunet_as_scrfd",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, "height", "width"])],
        outputs,
        [*head.stored, *yunet.graph.initializer, *tail.stored],
    )
    model = helper.make_model(body, opset_imports=list(yunet.opset_import), ir_version=8, producer_name="likeness")
    onnx.checker.check_model(model, full_check=True)
    return model


def _rewrite(tail: _Tail, stride: int) -> None:
    """YuNet's four outputs at one stride as SCRFD's three, each place twice, the second time with score 0."""
    product = tail.node("Mul", [f"cls_{stride}", f"obj_{stride}"], f"product_{stride}")
    score = tail.node("Sqrt", [product], f"one_score_{stride}")
    nothing = tail.node("Mul", [score, "zero"], f"no_score_{stride}")
    both = tail.node("Concat", [score, nothing], f"scores_{stride}", axis=2)
    tail.node("Reshape", [both, "rows_of_1"], f"score_{stride}")

    shift = tail.node("Gather", [f"bbox_{stride}", "shift_part"], f"shift_{stride}", axis=2)
    log_size = tail.node("Gather", [f"bbox_{stride}", "size_part"], f"log_size_{stride}", axis=2)
    reach = tail.node("Mul", [tail.node("Exp", [log_size], f"size_{stride}"), "half"], f"reach_{stride}")
    before = tail.node("Sub", [reach, shift], f"before_{stride}")  # distance to the left and upper side
    after = tail.node("Add", [reach, shift], f"after_{stride}")  # to the right and lower side
    boxes = tail.node("Concat", [before, after, before, after], f"boxes_{stride}", axis=2)
    tail.node("Reshape", [boxes, "rows_of_4"], f"box_{stride}")

    points = tail.node("Concat", [f"kps_{stride}", f"kps_{stride}"], f"two_points_{stride}", axis=2)
    tail.node("Reshape", [points, "rows_of_10"], f"points_{stride}")
