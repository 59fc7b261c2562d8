"""What runs networks and what encodes: onnxruntime's providers and ffmpeg's encoders, each tried for real."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from typing import Final

from flows.doctor.finding import Finding
from stages.encoding.codecs import CODECS, HARDWARE
from stages.encoding.hardware import trial

SECONDS: Final = 30.0
ON_THE_WAY: Final = "AzureExecutionProvider"
"""Sends what it is given to a service, so it is none that runs a network here."""


def networks() -> Iterator[Finding]:
    """Which of onnxruntime's providers run a network: CUDA is listed where there is no GPU, too."""
    import numpy as np
    import onnxruntime as ort
    from onnx import TensorProto, helper

    from stages.onnx import options_for

    side = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "trial", side[:1], side[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    usable = []
    for provider in ort.get_available_providers():
        if provider == ON_THE_WAY:
            continue
        try:
            session = ort.InferenceSession(model.SerializeToString(), options_for(1), providers=[provider])
            (result,) = session.run(None, {"x": np.ones(1, np.float32)})
        except Exception as error:  # onnxruntime raises its own, undocumented kinds
            yield Finding("onnxruntime", "warn", f"{provider} does not run: {error}", _mend(provider))
            continue
        if session.get_providers()[0] == provider and result[0] == -1:
            usable.append(provider)
        else:
            yield Finding("onnxruntime", "warn", f"{provider} is listed, but can not be used", _mend(provider))
    if usable:
        yield Finding("onnxruntime", "ok", f"{ort.__version__} runs networks by {', '.join(usable)}")
    else:
        yield Finding("onnxruntime", "fail", "it runs no network", "`make setup`")


def encoders() -> Iterator[Finding]:
    """Which of the codecs that can be asked for the ffmpeg program encodes."""
    from stages.video import ffmpeg_program

    program = ffmpeg_program()
    first = _said([program, "-hide_banner", "-version"]).partition("\n")[0]
    version = match[1] if (match := re.match(r"ffmpeg version (\S+)", first)) else "of no version"
    works: list[str] = []
    fails: list[str] = []
    for name, codec in CODECS.items():
        (fails if trial(program, codec.encoder, codec.formats[0]) else works).append(name)
    yield Finding("ffmpeg", "ok" if works else "fail", f"{version} at {program}", "" if works else "`make setup`")
    if fails:
        mend = f"choose encoding.codec among {', '.join(works)}; or take the system's ffmpeg off the path, so that the "
        mend += "one of the imageio-ffmpeg wheel runs"
        yield Finding("encoders", "warn", f"it can not encode {', '.join(fails)}", mend)
    else:
        yield Finding("encoders", "ok", ", ".join(works))


def hardware() -> Iterator[Finding]:
    """Which encoders of graphics hardware work: ffmpeg lists them on machines without, too."""
    from stages.video import ffmpeg_program

    works = {
        name: [
            codec
            for codec, encoder in maker.codecs.items()
            if not trial(ffmpeg_program(), encoder, maker.uploads["yuv420p"])
        ]
        for name, maker in HARDWARE.items()
    }
    said = "; ".join(f"{name}: {', '.join(codecs)}" for name, codecs in works.items() if codecs)
    yield Finding("hardware", "ok", said or "no encoder of it works here; software encodes")


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True).stdout


def _mend(provider: str) -> str:
    if provider.startswith("CUDA"):
        return "a driver with CUDA 13 and cuDNN 9 (the extra 'gpu', then `make gpu`); else the CPU runs them"
    return "nothing needs it; networks run by the others"
