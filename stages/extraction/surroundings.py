"""What a clip has beside its pictures: sound, chapters, and what is left out, so that nothing goes in silence."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.container
from av.stream import Disposition

from stages.extraction.trimming import Span
from stages.light import Light
from stages.problems import Problem
from stages.video import UNKNOWN, timecode_of, video_stream

MARKS: Final = {
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DYNAMIC_HDR_VIVID": "HDR Vivid",
    "DOVI_METADATA": "Dolby Vision",
    "DOVI_RPU_BUFFER": "Dolby Vision",
    "AMBIENT_VIEWING_ENVIRONMENT": "the light around the viewer",
    "ICC_PROFILE": "a colour profile (ICC)",
    "STEREO3D": "stereoscopic pictures",
    "SPHERICAL": "spherical pictures",
    "AFD": "the active format",
    "A53_CC": "closed captions",
}
"""What lies beside a picture in some clips and is not carried."""


def mark_facts(picture: av.VideoFrame) -> dict[str, Any]:
    """What lies beside the first picture as it was decoded: its light, and in ``left_out`` what is not carried."""
    light = Light()
    try:
        light = Light.of(picture)
        lost = [words for name, words in MARKS.items() if picture.side_data.get(name) is not None]
        if picture.side_data.get("MASTERING_DISPLAY_METADATA") is not None and not light.display:
            lost.append("a mastering display that is told in part")
    except ValueError:  # one kind that PyAV does not know hides all others
        lost = ["what lies beside the pictures, some of it of an unknown kind such as Exif"]
    left_out = [{"kind": "mark", "codec": words, "language": "und"} for words in dict.fromkeys(lost)]
    return light.facts() | ({"left_out": left_out} if left_out else {})


def sound_facts(container: av.container.InputContainer) -> list[dict[str, Any]]:
    """Codec, rate, channels and language of each audio stream; title and disposition where they say something."""
    facts = []
    for number, stream in enumerate(container.streams.audio):
        codec = stream.codec_context
        usual = Disposition.default if number == 0 else Disposition(0)
        entry: dict[str, Any] = {
            "codec": codec.name if codec else UNKNOWN,  # a kind of sound that is not known can be copied all the same
            "rate": codec.sample_rate if codec else 0,
            "channels": codec.channels if codec else 0,
            "language": stream.metadata.get("language", "und"),
        }
        if title := stream.metadata.get("title"):
            entry["title"] = title
        if (said := Disposition(stream.disposition)) not in (usual, Disposition(0)):
            entry["disposition"] = sorted(each.name or "" for each in Disposition if each in said)
        facts.append(entry)
    return facts


def chapter_facts(container: av.container.InputContainer, span: Span | None) -> list[dict[str, str]]:
    """Chapters with start and end in seconds, "n/d"; of a trimmed clip those in the span, moved with it."""
    facts = []
    for chapter in container.chapters():
        base = chapter["time_base"] or Fraction(1)
        start, end = chapter["start"] * base, chapter["end"] * base
        if span is not None:
            start, end = max(start, span.first), end if span.end is None else min(end, span.end)
            start, end = start - span.earlier, end - span.earlier
        if end > start:
            facts.append({"start": str(start), "end": str(end), "title": chapter["metadata"].get("title", "")})
    return facts


def further_facts(container: av.container.InputContainer, path: Path) -> dict[str, Any]:
    """What else must be told of a clip: streams and marks that are left out, its timecode, its language.

    Raises:
        Problem: the pictures are of an encrypted or otherwise unreadable kind.
    """
    pictures = video_stream(container, path)
    if not pictures.codec_context or pictures.codec_context.pix_fmt is None:
        raise Problem(
            f"its pictures can not be decoded ({pictures.codec_context and pictures.codec_context.name})",
            where=path,
            mend="convert it with the program that made it, for instance to ProRes",
        )
    facts: dict[str, Any] = {}
    left_out = []
    names_of_chapters = "mov" in container.format.name and bool(container.chapters())
    for stream in container.streams:
        if stream is pictures or stream.type == "audio":
            continue
        codec = stream.codec_context.name if stream.codec_context else "none"
        # QuickTime keeps the names of chapters in a track of text, and the timecode in a track of its own.
        if names_of_chapters and stream.type == "data" and codec in ("none", "bin_data"):
            names_of_chapters = False
            continue
        if "timecode" in stream.metadata:
            continue
        left_out.append({"kind": str(stream.type), "codec": codec, "language": stream.metadata.get("language", "und")})
    if left_out:
        facts["left_out"] = left_out
    if timecode := timecode_of(container):
        facts["timecode"] = timecode
    if (language := pictures.metadata.get("language", "und")) != "und":
        facts["language"] = language
    return facts
