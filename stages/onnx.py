"""onnxruntime sessions that run where they were asked to, and give the same numbers each time."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import onnxruntime as ort

from stages.problems import Problem

log = logging.getLogger(__name__)

Device = Literal["auto", "cpu", "cuda"]
"""Where networks run: "auto" takes a CUDA GPU if onnxruntime can use one, and says which it took."""


Provider = str | tuple[str, dict[str, str]]

_CUDA: Provider = ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"})
"""By itself it tries ways to compute by the clock, which differ from run to run, and rounds float32 to 10 bits."""


def providers_for(device: Device) -> list[Provider]:
    """The execution providers to ask for, the wanted one first."""
    cuda = "CUDAExecutionProvider" in ort.get_available_providers()
    if device == "cpu" or (device == "auto" and not cuda):
        return ["CPUExecutionProvider"]
    return [_CUDA, "CPUExecutionProvider"]


def options_for(threads: int) -> ort.SessionOptions:
    """How sessions run: quietly, with so many threads within one operator.

    The threads sleep between operators. By default onnxruntime has them spin, which takes processor time from the other
    networks, the decoder and other programs: half of all that a small network takes.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.use_deterministic_compute = True
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def open_session(path: Path, *, device: Device = "auto", threads: int = 2) -> ort.InferenceSession:
    """A session on one network.

    Args:
        path: an ONNX file.
        device: where it must run.
        threads: within one operator, on the CPU.

    Raises:
        Problem: the file is missing or no network, or "cuda" was asked for and is not to be had. (onnxruntime alone
            would fall back to the CPU in silence, and lists CUDA as available where there is no GPU.)
    """
    if not path.is_file():
        raise Problem("the network is not there", where=path, mend="run `dvc repro`, or restore the file from git")
    if device == "cuda" and "CUDAExecutionProvider" not in ort.get_available_providers():
        raise _no_gpu(path)
    options = options_for(threads)
    try:
        session = ort.InferenceSession(str(path), options, providers=providers_for(device))
    except Exception as error:  # onnxruntime raises its own, undocumented kinds
        raise Problem(f"onnxruntime can not load it: {error}", where=path, mend="restore the file") from error
    if device == "cuda" and session.get_providers()[0] != "CUDAExecutionProvider":
        raise _no_gpu(path)
    log.debug("%s runs on %s", path.name, session.get_providers()[0])
    return session


def _no_gpu(path: Path) -> Problem:
    return Problem(
        "it can not run on a CUDA GPU here",
        where=path,
        mend="set the stage's device to auto or cpu, or install the extra 'gpu' (see README.md) and a driver",
    )
