"""The deliverable: exact times, the clip's own sound and colours, the same bytes each time, and what it says."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stages.artifacts.frames import Frames, FrameWriter
from stages.disclosure import DISCLOSURE
from stages.encoding.coding import coding_for
from stages.encoding.container import facts_in, times_in
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import encode
from stages.problems import Problem
from stages.video import VideoFacts, decode, planes_of

FAST = EncodingSettings(preset="ultrafast", watermark=False)  # the pictures are too small for one
NEAREST = FAST.model_copy(update={"pixel_format": "nearest", "alpha": "drop"})


def picture(facts: VideoFacts, number: int) -> av.VideoFrame:
    """A smooth picture that changes a little from frame to frame."""
    made = av.VideoFrame(facts.width, facts.height, facts.pixel_format)
    for plane in planes_of(made):
        y, x = np.mgrid[: plane.shape[0], : plane.shape[1]]
        top = 1 << (8 if plane.dtype == np.uint8 else 10)
        plane[:] = ((0.3 + 0.2 * np.sin(x / 9 + number / 5) + 0.2 * np.cos(y / 7)) * top).astype(plane.dtype)
    return made


@pytest.fixture
def make_frames(tmp_path: Path) -> Callable[..., Frames]:
    """Build finished frames: ``make(times=[...], pixel_format=...)``."""

    def make(times: list[int] | None = None, last: int = 512, **facts: Any) -> Frames:
        given: dict[str, Any] = {"width": 96, "height": 64, "pixel_format": "yuv420p", "time_base": "1/12800"}
        known = VideoFacts(**(given | {"rate": "25/1"} | facts))
        pts = times if times is not None else [512 * i for i in range(12)]
        ends = [*pts[1:], pts[-1] + last] if pts else []
        folder = tmp_path / "finished"
        folder.mkdir()
        with FrameWriter(folder, known) as writer:
            for number, (here, end) in enumerate(zip(pts, ends, strict=True)):
                writer.add(picture(known, number), pts=here, duration=end - here, shot=0, changed=number % 2 == 0)
            writer.close()
        return Frames.read(folder)

    return make


def deliver(frames: Frames, folder: Path, *, audio: Path | None = None, settings: EncodingSettings = FAST) -> Path:
    """The finished video."""
    folder.mkdir()
    return encode(frames, audio, folder, settings, {"swap": "ada-on-ben"}).video


def tone(path: Path, codec: str = "aac", start: Fraction = Fraction(0), seconds: float = 1.0) -> Path:
    """A file with one second of a 440 Hz tone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48000)
        stream.layout = "mono"
        stream.codec_context.format = {"aac": "fltp", "pcm_alaw": "s16"}[codec]
        for first in range(0, int(48000 * seconds), 1024):
            wave = 0.3 * np.sin(2 * np.pi * 440 * (first + np.arange(1024)) / 48000)
            samples = wave.astype(np.float32)[None]
            if codec.startswith("pcm"):
                samples = (samples * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format=stream.codec_context.format.name, layout="mono")
            frame.rate, frame.pts, frame.time_base = 48000, first + int(start * 48000), Fraction(1, 48000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def packets(path: Path, kind: str) -> list[tuple[Fraction, str]]:
    """Time in seconds and hash of every packet of a file's first stream of a kind."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [
            (packet.pts * packet.time_base, hashlib.sha256(bytes(packet)).hexdigest())
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None
        ]


@pytest.mark.parametrize(
    ("times", "time_base", "rate"),
    [
        ([512 * i for i in range(12)], "1/12800", "25/1"),
        ([0, 300, 301, 700, 2000, 2001, 2500, 5000, 5100, 9000], "1/12800", "25/1"),
        ([3584 + 512 * i for i in range(8)], "1/12800", "25/1"),
        ([3003 * i for i in range(8)], "1/90000", "30000/1001"),
        ([1001 * i for i in range(8)], "1/24000", "24000/1001"),
        (list(range(8)), "1001/30000", "30000/1001"),
        ([0, 8, 17, 25, 33, 42], "1/1000", "24/1"),
        ([40], "1/1000", "25/1"),
    ],
    ids=["steady", "variable", "late", "29.97", "23.98", "odd base", "milliseconds", "one frame"],
)
def test_every_picture_is_shown_when_the_clip_showed_it(
    make_frames: Callable[..., Frames], tmp_path: Path, times: list[int], time_base: str, rate: str
) -> None:
    frames = make_frames(times, time_base=time_base, rate=rate)
    video = deliver(frames, tmp_path / "out", settings=FAST.model_copy(update={"preset": "medium"}))
    assert times_in(video) == [pts * Fraction(time_base) for pts in times]


def test_the_last_picture_lasts_as_long_as_the_clips_did(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    video = deliver(make_frames([0, 512, 1024], last=3000), tmp_path / "out")
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        assert stream.duration * stream.time_base == Fraction(1024 + 3000, 12800)


def test_the_pictures_are_the_finished_frames(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    frames = make_frames()
    video = deliver(frames, tmp_path / "out", settings=FAST.model_copy(update={"crf": 12}))
    shown = list(decode(video))
    assert len(shown) == len(frames)
    for before, after in zip(frames, shown, strict=True):
        for old, new in zip(before.planes(), after.planes(), strict=True):
            assert np.abs(old.astype(int) - new.astype(int)).mean() < 1.5


@pytest.mark.parametrize("start", [Fraction(0), Fraction(3, 2)], ids=["from the start", "late"])
def test_the_sound_is_the_clips_own_packet_for_packet(
    make_frames: Callable[..., Frames], tmp_path: Path, start: Fraction
) -> None:
    audio = tone(tmp_path / "audio.mov", start=start)
    video = deliver(make_frames(), tmp_path / "out", audio=audio)
    assert packets(video, "audio") == packets(audio, "audio")


def test_sound_that_mp4_can_not_hold_is_told_with_its_mend(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    audio = tone(tmp_path / "audio.mka", codec="pcm_alaw")
    with pytest.raises(Problem, match="re-encode") as told:
        deliver(make_frames(), tmp_path / "out", audio=audio)
    assert "audio.mka" in told.value.where


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray", "bgr0"])
def test_every_pixel_format_gives_a_file_that_plays(
    make_frames: Callable[..., Frames], tmp_path: Path, pixel_format: str
) -> None:
    frames = make_frames(pixel_format=pixel_format)
    video = deliver(frames, tmp_path / "out", settings=NEAREST)
    told = facts_in(video)
    assert told.pixel_format == coding_for(frames.facts, NEAREST).pixel_format.replace("gray", "yuv420p")
    assert told.full_range == (frames.facts.full_range or pixel_format == "gray")  # grey says no range: it is full
    first = next(iter(frames)).rgb().astype(int)
    assert np.abs(next(iter(decode(video))).rgb().astype(int) - first).mean() < 5


@pytest.mark.parametrize(
    ("pixel_format", "expected"),
    [
        ("yuv420p", "yuv420p"),
        ("yuv422p", "yuv422p"),
        ("yuv420p12le", "yuv420p10le"),
        ("bgra", "yuv420p"),
        ("bgr0", "yuv420p"),
        ("gray", "gray"),
    ],
)
def test_the_coding_keeps_what_h264_can_keep(pixel_format: str, expected: str) -> None:
    facts = VideoFacts(width=64, height=64, pixel_format=pixel_format, time_base="1/25", rate="25/1")
    assert coding_for(facts, NEAREST).pixel_format == expected
    odd = facts.model_copy(update={"width": 63})
    assert coding_for(odd, NEAREST).pixel_format == expected.replace("420", "444").replace("422", "444")
    assert coding_for(facts, NEAREST.model_copy(update={"pixel_format": "yuv420p"})).pixel_format == "yuv420p"


def test_an_odd_size_is_kept(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    told = facts_in(deliver(make_frames(width=97, height=63, pixel_format="yuv444p"), tmp_path / "out"))
    assert (told.width, told.height) == (97, 63)


def test_colour_facts_and_aspect_are_carried(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    said = {"primaries": "bt2020", "transfer": "smpte2084", "matrix": "bt2020nc", "range": "tv", "sample_aspect": "4/3"}
    told = facts_in(deliver(make_frames(pixel_format="yuv420p10le", **said), tmp_path / "out"))
    assert told.model_dump(include=set(said)) == said


def test_what_the_clip_does_not_say_is_not_made_up(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    told = facts_in(deliver(make_frames(), tmp_path / "out"))
    assert {told.primaries, told.transfer, told.matrix} == {"unknown"}


def test_the_same_frames_give_the_same_bytes(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    frames, audio = make_frames([512 * i for i in range(40)]), tone(tmp_path / "audio.mov")
    settings = FAST.model_copy(update={"preset": "medium"})
    files = [deliver(frames, tmp_path / f"out{i}", audio=audio, settings=settings).read_bytes() for i in range(3)]
    assert files[0] == files[1] == files[2]


def test_the_file_says_that_it_is_modified_and_begins_with_its_index(
    make_frames: Callable[..., Frames], tmp_path: Path
) -> None:
    video = deliver(make_frames(), tmp_path / "out")
    with av.open(str(video)) as container:
        assert container.metadata["comment"] == DISCLOSURE
    data, place, boxes = video.read_bytes(), 0, []
    while place < len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        boxes.append(name.decode())
        place += size
    assert boxes.index("moov") < boxes.index("mdat")


def test_facts_name_the_file_by_its_hash(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    video = deliver(make_frames(), tmp_path / "out")
    facts = json.loads((video.parent / "facts.json").read_text())
    assert facts["sha256"] == hashlib.sha256(video.read_bytes()).hexdigest()
    assert facts["swap"] == "ada-on-ben"
    assert (facts["frames"], facts["changed"], facts["codec"]) == (12, 6, "h264")
    assert facts["seconds"] == pytest.approx(12 / 25)


def test_a_higher_crf_is_smaller(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    frames = make_frames()
    sizes = [
        deliver(frames, tmp_path / f"out{crf}", settings=FAST.model_copy(update={"crf": crf})).stat().st_size
        for crf in (10, 40)
    ]
    assert sizes[1] < sizes[0]


def test_no_frames_are_refused(make_frames: Callable[..., Frames], tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no frames"):
        deliver(make_frames([]), tmp_path / "out")


@pytest.mark.parametrize(
    "wrong",
    [
        {"crf": 60},
        {"preset": "placebo"},
        {"codec": "divx"},
        {"threads": 0},
        {"crf": 20, "codec": "prores"},
        {"crf": 20, "bitrate": 900},
        {"container": "mkv", "codec": "png"},
        {"crf": 20.5, "codec": "av1"},
    ],
)
def test_settings_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EncodingSettings(**wrong)
