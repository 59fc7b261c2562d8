"""Damage and a full disk: one clear message, nothing half-written, and only what is whole is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
import yaml

from stages.artifacts.frames import Frames
from stages.problems import BAD_INPUT, Problem
from tests.conftest import REPOSITORY, write_clip
from tests.footage import Case, chapters, extract, facts, ffmpeg, lossless, remade, x264, x265

CODED = {
    "h264.mkv": x264(),
    "h264.ts": x264(),
    "first.mp4": [*x264(), "-movflags", "+faststart"],
    "mpeg4.avi": ["-c:v", "mpeg4", "-g", "8"],
    "mpeg4-b.avi": ["-c:v", "mpeg4", "-g", "8", "-bf", "2"],
    "mpeg2.ts": ["-c:v", "mpeg2video", "-g", "8", "-bf", "2"],
    "h265.mkv": x265(),
    "mjpeg.mov": ["-c:v", "mjpeg", "-movflags", "+faststart"],
    "ffv1.mkv": lossless("yuv420p"),
    "vp9.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime"],
    "prores.mov": ["-c:v", "prores_ks", "-movflags", "+faststart"],
}


@pytest.mark.parametrize("file", CODED)
def test_wherever_a_file_ends_what_is_kept_is_whole(workplace: Path, file: str) -> None:
    """Cut at many places: the kept frames are always the first of the whole file's, and a warning is in the facts."""
    whole = Case("whole", file, CODED[file], frames=24).make(workplace)
    wanted = list(zip(*(extract(whole).index[name] for name in ("pts", "hash")), strict=True))
    data, most = whole.read_bytes(), 0
    for share in range(30, 100, 3):
        whole.write_bytes(data[: len(data) * share // 100])
        try:
            frames = extract(whole)
        except Problem:
            if most:  # else too little of it is left
                raise
            continue
        kept = list(zip(*(frames.index[name] for name in ("pts", "hash")), strict=True))
        assert kept == wanted[: len(kept)], share
        if len(kept) < len(wanted):
            assert facts(frames)["broken_tail"]["kept"] == len(kept)
        most = max(most, len(kept))
    assert most >= 12


def test_what_large_pictures_lack_is_seen_however_many_threads_decode(workplace: Path) -> None:
    """Made-up parts of a picture are known only when its thread is done, which takes long where it is large."""
    whole = Case("whole", "a.ts", x264(), size="1280x720", frames=48, change="noise=alls=8").make(workplace)
    wanted = extract(whole).index["hash"].tolist()
    data = whole.read_bytes()
    for share in (50, 60, 70, 80, 90):
        whole.write_bytes(data[: len(data) * share // 100])
        kept = extract(whole).index["hash"].tolist()
        assert 0 < len(kept) < len(wanted)
        assert kept == wanted[: len(kept)], share


SOUNDS = [
    ("a.mkv", "ac3", []),
    ("a.mkv", "flac", []),
    ("a.mp4", "aac", ["-movflags", "+faststart"]),
    ("a.mov", "pcm_s16le", ["-movflags", "+faststart"]),
    ("a.avi", "libmp3lame", ["-c:v", "mpeg4"]),
    ("a.ts", "aac", []),
    ("a.ts", "ac3", []),
]


def sound_of(path: Path) -> list[bytes]:
    """The packets of a file's only audio stream; of PCM, which containers cut anew, its bytes."""
    with av.open(str(path)) as container:
        [stream] = container.streams.audio
        found = [bytes(packet) for packet in container.demux(stream) if packet.size]
        if stream.codec_context.name.startswith("pcm"):
            return [bytes([each]) for each in b"".join(found)]
        headed = path.suffix == ".ts" and stream.codec_context.name == "aac"  # 7 bytes that other containers leave out
        return [data[7:] for data in found] if headed else found


@pytest.mark.parametrize(("file", "codec", "more"), SOUNDS)
def test_sound_of_a_broken_end_is_that_of_the_whole(workplace: Path, file: str, codec: str, more: list[str]) -> None:
    """As far as it goes, and without a packet that lacks a part."""
    path = Case("sound", file, x264(), frames=50, sound=[(codec, "eng")], more=more).make(workplace)
    whole, data = sound_of(path), path.read_bytes()
    for share in (0.45, 0.6, 0.83):
        path.write_bytes(data[: int(len(data) * share)])
        audio = extract(path).audio
        assert audio is not None
        kept = sound_of(audio)
        assert 0 < len(kept) < len(whole)
        assert kept == whole[: len(kept)]


def test_pictures_before_the_first_key_frame_are_left_out_aloud(
    workplace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = Case("cut", "a.ts", x264(), frames=40).make(workplace)
    whole = extract(path).index[["pts", "hash"]].to_numpy().tolist()
    packets = path.read_bytes()
    path.write_bytes(packets[: 188 * 3] + packets[188 * 12 :])  # the tables stay
    frames = extract(path)
    kept = frames.index[["pts", "hash"]].to_numpy().tolist()
    assert 0 < len(kept) < len(whole)
    assert kept == whole[-len(kept) :]
    assert 0 < facts(frames)["headless"] <= len(whole) - len(kept)
    assert "need others that are not in the file" in caplog.text


def spoil(path: Path, number: int) -> None:
    """Overwrite a picture's data with zeros."""
    with av.open(str(path)) as container:
        entry = container.streams.video[0].index_entries[number]
    data = bytearray(path.read_bytes())
    data[entry.pos : entry.pos + entry.size] = bytes(entry.size)
    path.write_bytes(data)


def test_a_damaged_middle_is_refused_with_its_time(workplace: Path) -> None:
    path = Case("middle", "a.mov", ["-c:v", "mjpeg", "-g", "1"], frames=20).make(workplace)
    spoil(path, 8)
    with pytest.raises(Problem, match=r"at 0\.320 s, with whole ones after it"):
        extract(path)
    assert not list(Path("data/extraction").iterdir())


@pytest.mark.parametrize("part", [{"start": "0.36"}, {"end": "0.32"}, {"end": "0.24"}], ids=str)
def test_damage_outside_of_the_part_does_no_harm(workplace: Path, part: dict[str, str]) -> None:
    path = Case("middle", "a.mov", ["-c:v", "mjpeg", "-g", "1"], frames=20).make(workplace)
    wanted = extract(path, **part).index[["pts", "hash"]].to_numpy().tolist()
    spoil(path, 8)
    frames = extract(path, **part)
    assert frames.index[["pts", "hash"]].to_numpy().tolist() == wanted
    assert "broken_tail" not in facts(frames)


def test_an_audio_stream_without_sound_is_left_out_aloud(workplace: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = workplace / "one.mkv"
    write_clip(workplace / "both.mkv", sound=True)
    with av.open(str(workplace / "both.mkv")) as both, av.open(str(path), "w") as copy:
        streams = [copy.add_stream_from_template(stream) for stream in both.streams]
        for packet in both.demux(video=0):
            if packet.size:
                packet.stream = streams[0]
                copy.mux(packet)
    frames = extract(path)
    assert frames.audio is None
    assert facts(frames)["audio"] == []
    assert len(facts(frames)["empty_audio"]) == 1
    assert "no sound in it" in caplog.text


@pytest.mark.parametrize("with_chapters", [False, True])
def test_what_is_left_out_is_said(workplace: Path, caplog: pytest.LogCaptureFixture, with_chapters: bool) -> None:
    (workplace / "a.srt").write_text("1\n00:00:00,000 --> 00:00:00,400\nHello\n")
    case = Case(
        "titles",
        "a.mkv",
        x264(),
        inputs=lambda folder: ["-i", folder / "a.srt", *(chapters(folder) if with_chapters else ())],
        more=["-map", "1:s", *(["-map_chapters", "2"] if with_chapters else ())],
    )
    frames = extract(case.make(workplace))
    assert len(facts(frames).get("chapters", ())) == (2 if with_chapters else 0)
    assert [stream["kind"] for stream in facts(frames)["left_out"]] == ["subtitle"]
    assert "subtitle" in caplog.text


def test_a_list_of_other_films_is_no_film(workplace: Path) -> None:
    """What it would show, no hash of it and no consent to it could tell."""
    made = Case("whole", "eve.mkv", x264()).make(workplace)
    listed = workplace / "ada.mkv"
    listed.write_text(f"ffconcat version 1.0\nfile {made.name}\n")
    with av.open(str(listed)) as container:
        assert container.streams.video, "FFmpeg itself would follow it"
    with pytest.raises(Problem, match="a list of other files") as caught:
        extract(listed)
    assert caught.value.where == str(listed)


def test_a_second_video_stream_is_said_and_a_cover_is_no_clip(workplace: Path) -> None:
    two = Case(
        "two", "a.mkv", x264(), inputs=lambda folder: ["-f", "lavfi", "-i", "testsrc=d=0.4"], more=["-map", "1:v"]
    )
    assert [stream["kind"] for stream in facts(extract(two.make(workplace)))["left_out"]] == ["video"]
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.4", "-f", "lavfi", "-i", "testsrc=d=0.04", "-map", "0", "-map", "1",
           "-c:v", "png", "-disposition:v", "attached_pic", workplace / "cover.mp4")  # fmt: skip
    with pytest.raises(Problem, match="no video stream"):
        extract(workplace / "cover.mp4")


def test_marks_beside_the_pictures_are_said_to_be_left_out(workplace: Path, caplog: pytest.LogCaptureFixture) -> None:
    stereo = x264("yuv420p", "-x264-params", "frame-packing=3")
    frames = extract(Case("stereo", "a.mp4", stereo).make(workplace))
    assert facts(frames)["left_out"] == [{"kind": "mark", "codec": "stereoscopic pictures", "language": "und"}]
    assert "stereoscopic" in caplog.text


def test_a_turn_by_45_degrees_is_refused(workplace: Path) -> None:
    path = Case("turned", "a.mp4", x264(), finish=remade(before=["-display_rotation", "45"])).make(workplace)
    with pytest.raises(Problem, match="multiples of 90"):
        extract(path)


@pytest.fixture
def tiny_disk(workplace: Path) -> Iterator[Path]:
    """data/extraction on a disk of 128 KiB."""
    place = workplace / "data" / "extraction"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("only who may mount can try a full disk")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_one_message_and_leaves_nothing(tiny_disk: Path, workplace: Path) -> None:
    path = Case("noise", "a.mkv", lossless("yuv420p"), frames=40, change="noise=alls=40").make(workplace)
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw |= {"clips": {"one": {"identity": "ada", "path": path.name}}, "swaps": {}, "truths": {}}
    Path("params.yaml").write_text(yaml.safe_dump(raw))
    command = [sys.executable, "-m", "stages.extraction", "one"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    assert done.returncode == BAD_INPUT
    assert done.stderr.count("error:") == 1
    assert "the disk is full; nothing half-written was kept" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tiny_disk.iterdir()) == []


def test_frames_can_be_read_after_a_failed_attempt(workplace: Path) -> None:
    """What an earlier run made stays when a later one is refused."""
    path = workplace / "one.mp4"
    write_clip(path)
    before = extract(path).index["hash"].tolist()
    path.write_bytes(b"no film")
    with pytest.raises(Problem):
        extract(path)
    assert Frames.read(Path("data/extraction/one")).index["hash"].tolist() == before
