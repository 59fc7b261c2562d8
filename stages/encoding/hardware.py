"""Encoders of graphics hardware: whether one works here, tried for real, and what it is told."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from stages.encoding.codecs import CODECS, HARDWARE, Hardware
from stages.encoding.settings import EncodingSettings
from stages.problems import Problem
from stages.video import ffmpeg_program

log = logging.getLogger(__name__)

SECONDS: Final = 60.0
FEW: Final = 3
"""Pictures of a trial."""


@dataclass(frozen=True)
class Chosen:
    """An encoder of hardware that works here.

    Attributes:
        encoder: ffmpeg's name of it.
        upload: the pixel format that it is given.
        options: what else it is told.
    """

    encoder: str
    upload: str
    options: dict[str, Any]


def chosen(settings: EncodingSettings, pixel_format: str, *, lit: bool = False) -> Chosen | None:
    """The encoder of hardware that the settings ask for.

    A trial encodes some pictures of the format by each that comes into question: that ffmpeg lists an encoder does not
    mean that this machine has the hardware.

    Args:
        settings: of the stage; ``auto`` is the first that works, and software if none does, which is logged.
        pixel_format: of the pictures.
        lit: the clip says of its light what must be in the file, and these encoders are not told.

    Returns:
        None for software.

    Raises:
        Problem: the one that is asked for does not work here, or can not hold something of the clip.
    """
    if settings.encoder == "software":
        return None
    why: dict[str, str] = {}
    for name in HARDWARE if settings.encoder == "auto" else (settings.encoder,):
        hardware = HARDWARE[name]
        why[name] = _why_not(hardware, settings, pixel_format, lit)
        if not why[name]:
            rate = dict.fromkeys(hardware.rate, f"{settings.quality:g}") | hardware.told
            options = rate if settings.bitrate is None else {"b:v": f"{settings.bitrate}k"}
            return Chosen(hardware.codecs[settings.codec], hardware.uploads[pixel_format], options)
    what = f"{settings.codec} of {pixel_format}"
    if settings.encoder == "auto":
        said = "; ".join(f"{name}: {reason}" for name, reason in why.items())
        log.warning("no hardware encodes %s here, so %s does: %s", what, CODECS[settings.codec].encoder, said)
        return None
    raise Problem(
        f"{settings.encoder} does not encode {what} here: {why[settings.encoder]}",
        where="encoding.encoder in params.yaml",
        mend="set encoding.encoder: software, which every machine has, or auto, which falls back to it",
    )


def _why_not(hardware: Hardware, settings: EncodingSettings, pixel_format: str, lit: bool) -> str:
    """Why an encoder does not do; empty if it does."""
    if settings.codec not in hardware.codecs:
        return f"it has no {settings.codec}"
    if pixel_format not in hardware.uploads:
        return f"it takes {', '.join(hardware.uploads)} only"
    if lit:
        return "it is not told the clip's light"
    if settings.bitrate is None and not hardware.rate:
        return "it has no constant quality: set encoding.bitrate"
    return trial(ffmpeg_program(), hardware.codecs[settings.codec], hardware.uploads[pixel_format])


@cache
def trial(program: str, encoder: str, pixel_format: str) -> str:
    """What ffmpeg says if an encoder can not encode some pictures of a format; empty if it can."""
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=256x256:rate=25", "-frames:v", str(FEW), "-pix_fmt", pixel_format]
    command = [program, "-nostdin", "-hide_banner", "-loglevel", "error", *pictures, "-c:v", encoder, "-f", "null", "-"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"it hung for {SECONDS:.0f} s"
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines[0].partition("] ")[2] or lines[0] if lines else f"ffmpeg ended with {done.returncode}"
