"""The ffmpeg command that encodes a deliverable, as pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import ffmpeg

from stages.disclosure import DISCLOSURE
from stages.encoding.codecs import CODECS, PRESETS_OF_AV1
from stages.encoding.coding import Coding
from stages.encoding.hardware import Chosen
from stages.encoding.settings import EncodingSettings
from stages.light import Light
from stages.video import UNKNOWN, VideoFacts

FORMATS: Final = {"mp4": "mp4", "mov": "mov", "mkv": "matroska", "pictures": "image2"}
"""ffmpeg's names of the containers."""


@dataclass(frozen=True)
class Surroundings:
    """What goes into the file beside the pictures.

    Attributes:
        audio: a file whose audio streams are copied, packet for packet; None for silence.
        tracks: facts of each of them: language, title, disposition.
        chapters: with start and end in seconds as "n/d", and title.
        turn: degrees clockwise by which a player is to turn the pictures.
        timecode, language: of the pictures, None if not said.
        light: what the clip says of its light.
        tags: what the file says of its making, beside the disclosure.
    """

    audio: Path | None = None
    tracks: tuple[dict[str, Any], ...] = ()
    chapters: tuple[dict[str, str], ...] = ()
    turn: int = 0
    timecode: str | None = None
    language: str | None = None
    light: Light = field(default_factory=Light)
    tags: Mapping[str, str] = field(default_factory=dict)


def command(
    out: Path,
    container: str,
    facts: VideoFacts,
    coding: Coding,
    beside: Surroundings,
    last: tuple[int, int],
    settings: EncodingSettings,
    hardware: Chosen | None = None,
) -> Any:
    """The ffmpeg command that encodes a NUT stream of raw pictures from its standard input.

    Times are handed through untouched (``copyts``, ``passthrough``, the stream's own time base); sound is copied;
    colours are declared, not converted. ``bitexact`` and a fixed number of threads give the same bytes every time.

    Args:
        out: the file to write; for pictures their names, as ``%06d.png``.
        container: ``mp4``, ``mov``, ``mkv`` or ``pictures``.
        facts, coding: of the pictures.
        beside: what goes into the file beside them.
        last: presentation time and duration of the last picture, which a raw stream does not say.
        settings: of the stage.
        hardware: that encodes; None for the CPU.

    Returns:
        an ffmpeg-python node, to be compiled or run.
    """
    base = Fraction(facts.time_base)
    turn = {"noautorotate": None, "display_rotation": -beside.turn} if beside.turn else {}
    pictures = ffmpeg.input("pipe:0", format="nut", copyts=None, **turn)
    declared = {"range": coding.range, "colorspace": coding.matrix, "color_primaries": facts.primaries}
    declared["color_trc"] = facts.transfer
    known = {key: value for key, value in declared.items() if value != UNKNOWN}
    video = pictures.video.filter("setsar", facts.sample_aspect, max=65535)
    if known:
        video = video.filter("setparams", **known)
    told: dict[str, Any] = {"fps_mode": "passthrough", "enc_time_base": f"{base.numerator}:{base.denominator}"}
    coded = {
        "c:v": hardware.encoder if hardware else CODECS[settings.codec].encoder,
        "pix_fmt": hardware.upload if hardware else coding.pixel_format,
        **(_by_hardware(facts, hardware, settings) if hardware else _coder(facts, beside.light, coding, settings)),
    }
    if container == "mkv":
        coded.pop("tag:v", None)
    if container == "pictures":
        more = {"start_number": 0, "fflags": "+bitexact", "flags:v": "+bitexact", "format": "image2"}
        return _quiet(ffmpeg.output(video, str(out), **coded, **told, **more))
    streams = [video] if beside.audio is None else [video, ffmpeg.input(str(beside.audio)).audio]
    pts, duration = last
    ending = f"setts=pts=PTS:dts=DTS:duration=if(eq(PTS\\,{pts})\\,{duration}\\,DURATION)" if duration else "null"
    quick_time = {"video_track_timescale": base.denominator} if container != "mkv" else {}
    # ffmpeg looks at the "g" only; the numbers are there since a name can be given but once
    said = {f"metadata:g:{number}": f"{name}={value}" for number, (name, value) in enumerate(beside.tags.items())}
    marked = {"map_metadata": -1, "metadata": f"comment={DISCLOSURE}", **said, **_named(beside, container)}
    # QuickTime's own fields have names of four letters; those of any length are another box, which then holds all
    index = "+faststart+use_metadata_tags" if beside.tags else "+faststart"
    return _quiet(
        ffmpeg.output(
            *streams,
            str(out),
            **coded,
            **told,
            **quick_time,
            **{"bsf:v": ending, "c:a": "copy"},
            **marked,
            **({"movflags": index} if container != "mkv" else {}),
            **{"fflags": "+bitexact", "flags:v": "+bitexact", "format": FORMATS[container]},
        )
    )


def _by_hardware(facts: VideoFacts, hardware: Chosen, settings: EncodingSettings) -> dict[str, Any]:
    """What an encoder of hardware is told."""
    tag = {"tag:v": "hvc1"} if settings.codec == "h265" else {}
    return {**hardware.options, "g": _apart(facts, settings), **tag}


def _apart(facts: VideoFacts, settings: EncodingSettings) -> int:
    """Pictures between key frames at most."""
    return max(1, round(settings.keyframe_seconds * Fraction(facts.rate)))


def _coder(facts: VideoFacts, light: Light, coding: Coding, settings: EncodingSettings) -> dict[str, Any]:
    """What the encoder itself is told."""
    apart = _apart(facts, settings)
    rate = {"crf": f"{settings.quality:g}"} if settings.bitrate is None else {"b:v": f"{settings.bitrate}k"}
    timed = {"g": apart, "threads:v": settings.threads}
    match settings.codec:
        case "h264":
            own = _light(light, "mastering-display", "cll", 50000, 10000)
            return rate | {"preset": settings.preset} | timed | ({"x264-params": ":".join(own)} if own else {})
        case "h265":
            # frame threads make the result depend on their number; hvc1 is the tag that QuickTime plays
            own = ["log-level=error", f"pools={settings.threads}", "frame-threads=1"]
            own += _light(light, "master-display", "max-cll", 50000, 10000)
            return rate | {"preset": settings.preset, "g": apart, "x265-params": ":".join(own), "tag:v": "hvc1"}
        case "av1":
            own = [f"lp={settings.threads}", *_light(light, "mastering-display", "content-light", 0, 0)]
            return rate | {"preset": PRESETS_OF_AV1[settings.preset], "g": apart, "svtav1-params": ":".join(own)}
        case "prores":
            usual = "hq" if coding.pixel_format.startswith("yuv422") else "4444"
            profile = usual if settings.profile == "auto" else settings.profile
            return {"profile:v": profile, "vendor": "apl0", "threads:v": settings.threads}
        case "ffv1":
            whole = facts.width % 2 == 0 and facts.height % 2 == 0
            return {"level": 3, "slicecrc": 1, "g": 1, "threads:v": settings.threads} | ({"slices": 4} if whole else {})
        case "tiff":
            return {"compression_algo": "deflate", "threads:v": 1}
        case _:
            return {"threads:v": 1}


def _light(light: Light, display: str, content: str, point: int, luminance: int) -> list[str]:
    """What an encoder is told of the clip's light, by its own words for it and in its own units."""
    told = [f"{display}={light.display_words(point, luminance)}"] if light.display else []
    return told + ([f"{content}={light.content[0]},{light.content[1]}"] if light.content else [])


BIBLIOGRAPHIC: Final = {
    "sqi": "alb", "hye": "arm", "eus": "baq", "mya": "bur", "zho": "chi", "ces": "cze", "nld": "dut", "fra": "fre",
    "kat": "geo", "deu": "ger", "ell": "gre", "isl": "ice", "mkd": "mac", "mri": "mao", "msa": "may", "fas": "per",
    "ron": "rum", "slk": "slo", "bod": "tib", "cym": "wel",
}  # fmt: skip
"""Languages with two codes in ISO 639-2; QuickTime knows the second."""


def bibliographic(language: str) -> str:
    """The language's bibliographic code of ISO 639-2, which is the same as the other for most."""
    return BIBLIOGRAPHIC.get(language, language)


def _named(beside: Surroundings, container: str) -> dict[str, str]:
    """Languages, titles, dispositions, names of chapters and the timecode, as ffmpeg takes them.

    Streams are told by number within their kind and again within the file, since a name can be given but once.
    """
    told: dict[str, str] = {}
    for number, track in enumerate(beside.tracks if beside.audio else ()):
        language = track.get("language", "und")
        if language != "und":
            language = bibliographic(language) if container == "mov" else language
            told[f"metadata:s:a:{number}"] = f"language={language}"
        if title := track.get("title"):
            told[f"metadata:s:{number + 1}"] = f"title={title}"
        if "disposition" in track:
            told[f"disposition:a:{number}"] = "+".join(track["disposition"]) or "0"
    for number, chapter in enumerate(beside.chapters):
        told[f"metadata:c:{number}"] = f"title={chapter['title']}"
    if beside.timecode:
        told["metadata:s:v:0"] = f"timecode={beside.timecode}"
    if beside.language:
        told["metadata:s:0"] = f"language={beside.language}"
    return told


def _quiet(node: Any) -> Any:
    return node.global_args("-nostdin", "-hide_banner", "-loglevel", "error").overwrite_output()
