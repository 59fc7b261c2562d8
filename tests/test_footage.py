"""Every kind of footage goes in and comes out as it was, or is refused by name."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.frames import Frames
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import encode
from stages.extraction.stage import run
from stages.problems import Problem
from stages.video import planes_of
from tests.conftest import params_with
from tests.footage import CASES, Case, ffmpeg

MILLISECOND = Fraction(1, 1000)


def extract(path: Path) -> Frames:
    run("one", params_with({"one": path}))
    return Frames.read(Path("data/extraction/one"))


def deliver(frames: Frames, folder: Path, **settings: Any) -> Deliverable:
    folder.mkdir()
    chosen = EncodingSettings(**{"preset": "ultrafast", **settings})
    return encode(frames, frames.audio, folder, chosen, {"swap": "none"})


def shown_by_ffmpeg(path: Path, pixel_format: str, filters: str = "") -> list[tuple[Fraction, str]]:
    """Time and MD5 of each picture, as the ffmpeg program decodes them: a witness beside PyAV."""
    pixel_format = {"bgr0": "rgb24"}.get(pixel_format, pixel_format)  # the fourth byte of bgr0 is nothing
    only = ["-map", "0:v:0", *(["-vf", filters] if filters else []), "-pix_fmt", pixel_format]
    times = ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framehash", "-hash", "md5", "-"]
    text = ffmpeg("-copyts", "-i", path, *only, *times).decode()
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
            if packet.size:
                packets[packet.stream_index].append((packet.pts * packet.time_base, bytes(packet)))
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
        told = json.loads((frames.folder / "facts.json").read_text())["broken_tail"]
        assert 0 < told["kept"] == len(found) < case.frames
        # ffmpeg makes up what is missing of its last pictures; those are not kept
        assert found == wanted[: len(found)]
        wanted = wanted[: len(found)]
    assert [time for time, _ in found] == [time for time, _ in wanted]
    # At the edges of the first picture bwdif is not the same in every version of FFmpeg.
    assert found[1 if case.reference else 0 :] == wanted[1 if case.reference else 0 :]
    for name, value in case.facts.items():
        assert getattr(frames.facts, name) == value, name

    # Out: the same times, colours, sound, tracks.
    if case.undeliverable:
        with pytest.raises(Problem, match=case.undeliverable):
            deliver(frames, workplace / "out", **case.encoding)
        return
    video = deliver(frames, workplace / "out", **case.encoding).video
    told_pixel_format, told_hash = None, None
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        told_pixel_format = stream.codec_context.pix_fmt
    shown = shown_by_ffmpeg(video, frames.facts.pixel_format)
    assert [time for time, _ in shown] == [time for time, _ in wanted]
    if case.encoding.get("codec") == "ffv1":
        told_hash = [picture for _, picture in shown]
        assert told_hash == [picture for _, picture in wanted]
    assert_same_tags(path, video, frames, told_pixel_format)
    before, after = sound_in(path), sound_in(video)
    assert [(codec, language) for codec, language, _ in after] == [(codec, language) for codec, language, _ in before]
    for (_, _, old), (_, _, new) in zip(before, after, strict=True):
        if "broken" not in case.name:
            assert [data for _, data in new] == [data for _, data in old]
            assert all(abs(a - b) <= MILLISECOND for (a, _), (b, _) in zip(new, old, strict=True))
    assert chapters_in(video) == chapters_in(path)


def assert_same_tags(source: Path, video: Path, frames: Frames, pixel_format: str | None) -> None:
    from stages.encoding.container import facts_in

    old, new = facts_in(source), facts_in(video)
    names = ["width", "height", "primaries", "transfer", "matrix", "sample_aspect"]
    assert {n: getattr(new, n) for n in names} == {n: getattr(old, n) for n in names}
    assert new.full_range == old.full_range
    assert turn(video) == turn(source)


def turn(path: Path) -> int:
    with av.open(str(path)) as container:
        return int(next(container.decode(video=0)).rotation)
