"""Sound, carried bit for bit: every audio stream is copied, none is decoded."""

from __future__ import annotations

import errno
import os
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.error
import ffmpeg

from stages.extraction.trimming import Span
from stages.packets import Track, heard, tracks_in
from stages.problems import Problem
from stages.video import ffmpeg_program, open_file

ENDINGS: Final = ("mov", "mka", "nut", "mp4")
"""QuickTime keeps sample-exact times and the edit list that hides an encoder's priming; Matroska holds codecs that it
can not, with times in milliseconds; NUT holds all that is left. Of a trimmed clip a first packet may begin before the
pictures do, which neither of these two can say: MP4 can, and holds Opus and FLAC, which QuickTime does not."""

ENDINGS_OF_MATROSKA: Final = ("mka", "mov", "nut", "mp4")
"""Sound of a Matroska file stays in one: QuickTime would take its rounded times for exact, and hide up to half a
millisecond too little or too much of the priming."""

TOLERANCE: Final = Fraction(1, 1000)
"""Seconds: Matroska's times are whole milliseconds."""


def copy_sound(clip: Path, folder: Path, *, span: Span | None = None, whole: bool = True) -> list[int]:
    """Copy the audio streams of a clip into ``folder``, without re-encoding, and look whether they are the same.

    Args:
        clip: the file.
        folder: gets ``audio`` with one of :data:`ENDINGS`; nothing if no stream has any sound.
        span: of a trimmed clip, the part to copy: the packets that are heard in it.
        whole: False for a clip whose end is broken: packets that lack a part are left out.

    Returns:
        numbers of the streams that have packets, and so were copied.

    Raises:
        Problem: no container can hold them unharmed.
    """
    bounds = (None, None) if span is None else (span.first, span.end)
    wanted = tracks_in(clip, *bounds)
    filled = [number for number, track in enumerate(wanted) if track.packets]
    if not filled:
        return []
    why = ""
    with open_file(clip) as source:
        endings = ENDINGS_OF_MATROSKA if "matroska" in source.format.name else ENDINGS
    for ending in endings:
        target = folder / f"audio.{ending}"
        try:
            if span is None:
                every = len(filled) == len(wanted)
                _copy_all(clip, target, ["a"] if every else [f"a:{number}" for number in filled], whole)
            else:
                _copy_span(clip, target, filled, span)
        except (ffmpeg.Error, av.error.FFmpegError, ValueError) as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()[-4:] if hasattr(error, "stderr") else []
            why = " ".join(said) or str(error)
            if os.strerror(errno.ENOSPC) in why or getattr(error, "errno", None) == errno.ENOSPC:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        else:
            earlier = Fraction(0) if span is None else span.earlier
            why = _difference(target, wanted, filled, earlier)
            if not why:
                return filled
        target.unlink(missing_ok=True)
    raise Problem(f"its sound can not be copied ({why})", where=clip, mend="re-encode its sound, e.g. as AAC")


def _copy_all(clip: Path, target: Path, streams: list[str], whole: bool) -> None:
    """By ffmpeg. Without copyts it would start the sound at 0, and a clip that begins later would lose synchrony."""
    kept = {} if whole else {"fflags": "+discardcorrupt"}
    source = ffmpeg.input(str(clip), copyts=None, **kept)
    command = ffmpeg.output(
        *(source[each] for each in streams),
        str(target),
        c="copy",
        fflags="+bitexact",
        flags="+bitexact",
        map_metadata=-1,
        map_chapters=-1,
    )
    command.run(cmd=ffmpeg_program(), quiet=True, overwrite_output=True)


def _copy_span(clip: Path, target: Path, streams: list[int], span: Span) -> None:
    """Packet by packet, so that none is lost or doubled at the ends; a first one may start before the pictures."""
    form = {".mka": "matroska"}.get(target.suffix, target.suffix[1:])
    with open_file(clip) as source, av.open(str(target), "w", format=form, options={"fflags": "+bitexact"}) as copy:
        chosen = [source.streams.audio[number] for number in streams]
        made = {stream.index: copy.add_stream_from_template(stream) for stream in chosen}
        for packet in source.demux(*chosen):
            if heard(packet, span.first, span.end) and not packet.is_corrupt:
                base, pts = packet.time_base, packet.pts
                assert base is not None
                assert pts is not None
                moved = round(span.earlier / base)
                packet.pts = pts - moved
                packet.dts = packet.pts if packet.dts is None else packet.dts - moved
                packet.stream = made[packet.stream_index]
                copy.mux(packet)


def _difference(target: Path, wanted: list[Track], filled: list[int], earlier: Fraction) -> str:
    """How the copy differs from what was to be copied, empty if it does not."""
    copied = tracks_in(target)
    if len(copied) != len(filled):
        return f"{len(copied)} of {len(filled)} audio streams"
    for track, number in zip(copied, filled, strict=True):
        if said := track.differs_from(wanted[number], TOLERANCE, earlier=earlier):
            return f"audio stream {number}: {said}"
    return ""
