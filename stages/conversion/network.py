"""The source's network, run on batches of aligned crops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stages.artifacts.swap_model import SwapModel
from stages.problems import Problem

Crop = NDArray[np.uint8]


class SourceNetwork:
    """Encoder and the source's decoder.

    Args:
        session: on the model's ONNX file of the source.
        model: the swap model that the file belongs to.

    Raises:
        Problem: the file does not take and give what the model's facts say.
    """

    def __init__(self, session: ort.InferenceSession, model: SwapModel) -> None:
        self._session, self._model = session, model
        names = [value.name for value in session.get_inputs()], [value.name for value in session.get_outputs()]
        if names != (["crop"], ["rgb", "mask"]) or session.get_inputs()[0].shape[2] != model.facts["input_size"]:
            raise Problem("its networks do not fit its model.json", where=model.folder, mend="train the pair again")

    def convert(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The source's likeness in the crops' performance.

        Args:
            crops: (n, C, C, 3) uint8 RGB, C the model's crop size.

        Returns:
            Colour (n, R, R, 3) and mask (n, R, R), uint8 0..255.
        """
        crop = self._model.network_input(crops)
        if self._session.get_providers()[0] == "CUDAExecutionProvider":
            rgb, mask = run_bound(self._session, crop, "cuda")
        else:
            rgb, mask = self._session.run(["rgb", "mask"], {"crop": crop})
        return _as_bytes(rgb.transpose(0, 2, 3, 1)), _as_bytes(mask[:, 0])


def run_bound(
    session: ort.InferenceSession, crop: NDArray[np.float32], device: Literal["cpu", "cuda"]
) -> list[NDArray[np.float32]]:
    """Colour and mask through an IO binding: each crosses the bus once, and onnxruntime allocates on the device.

    Args:
        session: on a swap model's network, running on ``device``.
        crop: (n, 3, S, S) 0..1.
        device: where input and outputs lie during the run.

    Returns:
        ``rgb`` (n, 3, R, R) and ``mask`` (n, 1, R, R), 0..1, on the CPU.
    """
    binding = session.io_binding()
    binding.bind_ortvalue_input("crop", ort.OrtValue.ortvalue_from_numpy(crop, device, 0))
    for name in ("rgb", "mask"):
        binding.bind_output(name, device, 0)
    session.run_with_iobinding(binding)
    return list(binding.copy_outputs_to_cpu())


def _as_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """0..1 to 0..255, to the nearest."""
    return np.asarray((values * 255.0).round().clip(0, 255), np.uint8)


def in_batches(crops: Iterable[Crop], size: int) -> Iterator[NDArray[np.uint8]]:
    """Stack crops (C, C, 3) to batches (n, C, C, 3); n is ``size`` but for the last."""
    pending: list[Crop] = []
    for crop in crops:
        pending.append(crop)
        if len(pending) == size:
            yield np.stack(pending)
            pending = []
    if pending:
        yield np.stack(pending)
