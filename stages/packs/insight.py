"""Opens a pack's detector and recogniser with insightface's own loaders, quietly and where they were asked to run."""

from __future__ import annotations

import io
import logging
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final, Literal

import onnxruntime as ort
from insightface.app import FaceAnalysis
from insightface.model_zoo import get_model
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD

from stages.onnx import Device, options_for, providers_for
from stages.packs.pack import Pack
from stages.problems import Problem

log = logging.getLogger(__name__)

CUDA: Final = "CUDAExecutionProvider"


def open_model(
    pack: Pack, role: Literal["detection", "recognition"], *, device: Device, threads: int
) -> SCRFD | ArcFaceONNX:
    """insightface's object for one role of a pack.

    The open pack's file is known and is handed to ``model_zoo.get_model``; which file of an InsightFace pack plays
    which role is found out by ``FaceAnalysis``. Neither looks outside the pack's folder or downloads anything.

    Raises:
        Problem: the pack has no such model, or it does not run on the device.
    """
    if device == "cuda" and CUDA not in ort.get_available_providers():
        raise _no_gpu(pack.folder)
    options = options_for(threads)
    providers = providers_for(device)
    printed = io.StringIO()
    with redirect_stdout(printed):
        if pack.is_open:
            model = get_model(str(pack.files[role]), providers=providers, sess_options=options)
        else:
            model = _from_their_pack(pack, role, providers=providers, sess_options=options)
    if printed.getvalue():
        log.debug("insightface: %s", printed.getvalue().strip())
    if not isinstance(model, SCRFD if role == "detection" else ArcFaceONNX):
        raise Problem(
            f"insightface finds no {role} network that fits in it",
            where=pack.folder,
            mend="set detection.pack to 'open', or to a pack with an SCRFD detector and an ArcFace recogniser",
        )
    if device == "cuda" and model.session.get_providers()[0] != CUDA:
        raise _no_gpu(pack.folder)
    return model


def open_recogniser(file: Path, *, device: Device, threads: int) -> ArcFaceONNX:
    """insightface's object for a recogniser that comes alone, as ``model_zoo.get_model`` makes it of a file.

    Args:
        file: ONNX whose input is a square crop of at least 112 pixels, as ArcFace's are.
        device: where it must run.
        threads: within one operator, on the CPU.

    Raises:
        Problem: it is missing, no such network, or does not run on the device.
    """
    if device == "cuda" and CUDA not in ort.get_available_providers():
        raise _no_gpu(file)
    if file.suffix != ".onnx" or not file.is_file():
        raise Problem("there is no such ONNX file", where=file, mend="name the file of a recogniser")
    try:
        with redirect_stdout(io.StringIO()):
            model = get_model(str(file), providers=providers_for(device), sess_options=options_for(threads))
    except Exception as error:  # onnxruntime raises its own, undocumented kinds
        raise Problem(f"onnxruntime can not load it: {error}", where=file, mend="fetch the file anew") from error
    if not isinstance(model, ArcFaceONNX):
        raise Problem(
            "insightface takes it for no recogniser",
            where=file,
            mend="name an ArcFace-style network: its input is a square crop of 112 pixels or more",
        )
    if device == "cuda" and model.session.get_providers()[0] != CUDA:
        raise _no_gpu(file)
    return model


def _from_their_pack(pack: Pack, role: str, **session: Any) -> Any:
    """The model of one role, or None if the pack has none."""
    try:
        return FaceAnalysis(str(pack.folder), allowed_modules=["detection", role], **session).models.get(role)
    except AssertionError:  # its way of saying that there is no detector
        return None


def _no_gpu(where: Path) -> Problem:
    return Problem(
        "it can not run on a CUDA GPU here",
        where=where,
        mend="set the stage's device to auto or cpu, or install the extra 'gpu' (see README.md) and a driver",
    )
