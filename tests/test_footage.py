"""Every kind of footage goes in and comes out as it was, or is refused by name."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stages.artifacts.frames import Frames
from stages.encoding.container import facts_in
from stages.light import Light
from stages.problems import Problem
from stages.video import planes_of
from tests.footage import CASES, Case, deliver, extract, facts, ffmpeg, x264

MILLISECOND = Fraction(1, 1000)


def shown_by_ffmpeg(path: Path, pixel_format: str, filters: str = "") -> list[tuple[Fraction, str]]:
    """Time and MD5 of each picture, as the ffmpeg program decodes them: a witness beside PyAV.

    With filters, these turn the pictures if need be: ffmpeg would turn them first, and deinterlace columns.
    """
    pixel_format = {"bgr0": "rgb24"}.get(pixel_format, pixel_format)  # the fourth byte of bgr0 is nothing
    only = ["-map", "0:v:0", *(["-vf", filters] if filters else []), "-pix_fmt", pixel_format]
    times = ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framehash", "-hash", "md5", "-"]
    text = ffmpeg("-copyts", *(["-noautorotate"] if filters else []), "-i", path, *only, *times).decode()
    base = next(Fraction(line.split(": ")[1]) for line in text.splitlines() if line.startswith("#tb"))
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    return [(int(row[2]) * base, row[5].strip()) for row in rows]


def pictures_in(frames: Frames) -> list[tuple[Fraction, str]]:
    base = Fraction(frames.facts.time_base)
    found = []
    for frame in frames:
        bgr0 = frame.facts.pixel_format == "bgr0"
        planes = planes_of(frame.picture.reformat(format="rgb24")) if bgr0 else frame.planes()
        data = b"".join(np.ascontiguousarray(plane).tobytes() for plane in planes)
        found.append((frame.pts * base, hashlib.md5(data).hexdigest()))
    return found


def sound_in(path: Path) -> list[tuple[str, str | None, list[tuple[Fraction, str]]]]:
    """Codec, language and packets (time in seconds, hash) of each audio track; PCM as one packet: players cut it."""
    with av.open(str(path)) as container:
        packets: dict[int, list[tuple[Fraction, bytes]]] = {stream.index: [] for stream in container.streams.audio}
        for packet in container.demux(*container.streams.audio) if packets else ():
            if packet.size and not packet.is_corrupt:
                data = bytes(packet)
                if packet.stream.codec_context.name == "aac" and data[:2] in (b"\xff\xf1", b"\xff\xf9"):
                    data = data[7:]  # a transport stream puts a header before each packet
                packets[packet.stream_index].append((packet.pts * packet.time_base, data))
        found = []
        for stream in container.streams.audio:
            mine = packets[stream.index]
            if stream.codec_context.name.startswith("pcm"):
                mine = [(mine[0][0], b"".join(data for _, data in mine))]
            codec = stream.codec_context.name
            codec = "mpeg audio" if codec.startswith("mp") else codec  # MP4 does not say which of its layers
            language = None if stream.language in (None, "und") else stream.language
            hashed = [(time, hashlib.sha256(data).hexdigest()) for time, data in mine]
            found.append((codec, language, hashed))
        return found


def chapters_in(path: Path) -> list[tuple[Fraction, Fraction, str]]:
    with av.open(str(path)) as container:
        return [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"].get("title", ""))
            for c in container.chapters()
        ]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_footage_goes_in_and_comes_out(case: Case, workplace: Path) -> None:
    path = case.make(workplace)
    if case.refused:
        with pytest.raises(Problem, match=case.refused):
            extract(path)
        assert not list(Path("data/extraction").glob("*"))
        return
    frames = extract(path)

    # In: count, times and every sample as ffmpeg shows them.
    wanted, found = shown_by_ffmpeg(path, frames.facts.pixel_format, case.reference), pictures_in(frames)
    if "broken" in case.name:
        assert 0 < facts(frames)["broken_tail"]["kept"] == len(found) < case.frames
        wanted = wanted[: len(found)]  # ffmpeg makes up what is missing of its last pictures; those are not kept
    else:
        assert not {"broken_tail", "headless"} & set(facts(frames))
    assert [time for time, _ in found] == [time for time, _ in wanted]
    edge = 1 if case.reference else 0  # of the first deinterlaced picture see extraction/test_interlacing.py
    assert found[edge:] == wanted[edge:]
    for name, value in case.facts.items():
        assert getattr(frames.facts, name) == value, name

    # Out: the same times, colours, sound, tracks.
    if case.undeliverable:
        with pytest.raises(Problem, match=case.undeliverable):
            deliver(frames, workplace / "out", **case.encoding)
        return
    video = deliver(frames, workplace / "out", **case.encoding).video
    shown = shown_by_ffmpeg(video, frames.facts.pixel_format)
    assert [time for time, _ in shown] == [time for time, _ in wanted]
    if case.encoding.get("codec") == "ffv1":
        assert [picture for _, picture in shown] == [picture for _, picture in wanted]
    assert_same_tags(path, video)
    before, after = sound_in(path), sound_in(video)
    assert [(codec, language) for codec, language, _ in after] == [(codec, language) for codec, language, _ in before]
    for (_, _, old), (_, _, new) in zip(before, after, strict=True):
        assert [data for _, data in new] == [data for _, data in old]
        assert all(abs(a - b) <= MILLISECOND for (a, _), (b, _) in zip(new, old, strict=True))
    assert chapters_in(video) == chapters_in(path)


def test_chapters_between_milliseconds_are_kept_to_the_millisecond(workplace: Path) -> None:
    """Matroska has their times in nanoseconds, of which two have no common measure that ffmpeg can hold."""

    def fine(folder: Path) -> list[str | Path]:
        text = ";FFMETADATA1\n"
        for start, end in ((0, 5), (5, 9), (9, 13)):
            text += f"[CHAPTER]\nTIMEBASE=1001/24000\nSTART={start}\nEND={end}\ntitle=from {start}\n"
        (folder / "chapters.txt").write_text(text)
        return ["-f", "ffmetadata", "-i", folder / "chapters.txt"]

    path = Case("fine", "a.mkv", x264(), inputs=fine, more=["-map_chapters", "1"]).make(workplace)
    wanted = chapters_in(path)
    assert any((start * 1000).denominator > 1 for start, _, _ in wanted)
    found = chapters_in(deliver(extract(path), workplace / "out", container="mp4").video)
    assert [title for *_, title in found] == [title for *_, title in wanted]
    for (*times, _), (*others, _) in zip(found, wanted, strict=True):
        assert all(abs(a - b) <= MILLISECOND for a, b in zip(times, others, strict=True))


def assert_same_tags(source: Path, video: Path) -> None:
    old, new = facts_in(source), facts_in(video)
    names = ["width", "height", "primaries", "transfer", "matrix", "sample_aspect"]
    assert {n: getattr(new, n) for n in names} == {n: getattr(old, n) for n in names}
    assert new.full_range == old.full_range
    with av.open(str(source)) as one, av.open(str(video)) as other:
        first, delivered = (next(container.decode(video=0)) for container in (one, other))
        assert delivered.rotation == first.rotation
        assert Light.of(delivered).is_near(Light.of(first))
