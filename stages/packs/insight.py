"""Opens a pack's detector and recogniser with insightface's own loaders, quietly and where they were asked to run."""

from __future__ import annotations

import io
import logging
from contextlib import redirect_stdout
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
        raise _no_gpu(pack)
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
        raise _no_gpu(pack)
    return model


def _from_their_pack(pack: Pack, role: str, **session: Any) -> Any:
    """The model of one role, or None if the pack has none."""
    try:
        return FaceAnalysis(str(pack.folder), allowed_modules=["detection", role], **session).models.get(role)
    except AssertionError:  # its way of saying that there is no detector
        return None


def _no_gpu(pack: Pack) -> Problem:
    return Problem(
        "it can not run on a CUDA GPU here",
        where=pack.folder,
        mend="set detection.device to auto or cpu, or install the extra 'gpu' (see README.md) and a driver",
    )
