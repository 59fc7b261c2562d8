"""Sound, carried bit for bit: every audio stream is copied, none is decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av.container
import ffmpeg

from stages.problems import Problem
from stages.video import ffmpeg_program


def sound_facts(container: av.container.InputContainer) -> list[dict[str, Any]]:
    """Codec, rate, channels and language of each audio stream."""
    return [
        {
            "codec": stream.codec_context.name,
            "rate": stream.codec_context.sample_rate,
            "channels": stream.codec_context.channels,
            "language": stream.metadata.get("language", "und"),
        }
        for stream in container.streams.audio
    ]


def copy_sound(clip: Path, folder: Path) -> Path:
    """Copy all audio streams of a clip into ``folder``, without re-encoding.

    QuickTime keeps sample-exact times and the edit list that hides an encoder's priming; codecs that it can not hold
    go into Matroska, whose times are milliseconds.

    Raises:
        Problem: neither can hold them.
    """
    said = b""
    for ending in ("mov", "mka"):
        target = folder / f"audio.{ending}"
        # Without copyts ffmpeg would start the sound at 0, and a clip that begins later would lose its synchrony.
        command = ffmpeg.input(str(clip), copyts=None).output(
            str(target), map="0:a", c="copy", fflags="+bitexact", flags="+bitexact", map_metadata=-1
        )
        try:
            command.run(cmd=ffmpeg_program(), quiet=True, overwrite_output=True)
            return target
        except ffmpeg.Error as error:
            said = error.stderr or b""
            target.unlink(missing_ok=True)
    last = said.decode(errors="replace").strip().splitlines()[-1:]
    raise Problem(
        f"its sound can not be copied ({' '.join(last)})", where=clip, mend="re-encode its sound, e.g. as AAC"
    )
