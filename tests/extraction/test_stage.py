"""A clip goes in; frames, times, facts and sound come out as they were."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest

from stages.artifacts.frames import Frames
from stages.extraction.stage import run
from stages.problems import Problem
from stages.video import decode, ffmpeg_program, planes_of
from tests.conftest import params_with, write_clip


def extract(path: Path, **settings: object) -> Frames:
    params = params_with({"one": path})
    changed = params.extraction.model_copy(update=settings)
    run("one", params.model_copy(update={"extraction": changed}))
    return Frames.read(Path("data/extraction/one"))


def decoded(path: Path) -> list[list[np.ndarray]]:
    with av.open(os.fspath(path)) as container:
        return [[plane.copy() for plane in planes_of(picture)] for picture in container.decode(video=0)]


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le"])
def test_frames_are_bit_exact_in_the_clips_own_format(workplace: Path, pixel_format: str) -> None:
    path = workplace / "one.mkv"
    write_clip(path, pixel_format=pixel_format)
    frames = extract(path, shard_frames=5)
    assert frames.facts.pixel_format == pixel_format
    assert len(frames) == 12
    assert len(list(frames.folder.glob("shard-*.mkv"))) == 3
    for frame, wanted in zip(frames, decoded(path), strict=True):
        for got, plane in zip(frame.planes(), wanted, strict=True):
            np.testing.assert_array_equal(got, plane)


def test_odd_sizes_are_carried(workplace: Path) -> None:
    path = workplace / "one.mkv"
    write_clip(path, width=63, height=47, pixel_format="yuv444p")
    frames = extract(path)
    assert (frames.facts.width, frames.facts.height) == (63, 47)
    assert next(iter(frames)).rgb().shape == (47, 63, 3)


def test_times_of_a_variable_frame_rate_are_exact(workplace: Path) -> None:
    path = workplace / "one.mp4"
    times = write_clip(path, gaps=(1, 3, 2))
    frames = extract(path)
    base = frames.facts.time_base
    scale = int(base.split("/")[1]) // 600
    assert (frames.index["pts"] - frames.index["pts"].iloc[0]).tolist() == [time * scale for time in times]


def test_any_frames_can_be_picked(workplace: Path) -> None:
    path = workplace / "one.mp4"
    write_clip(path, frames=40)
    frames = extract(path, shard_frames=16)
    all_hashes = frames.index["hash"].tolist()
    chosen = [0, 1, 14, 15, 16, 17, 31, 39]
    picked = list(frames.pick(chosen))
    assert [frame.number for frame in picked] == chosen
    assert [frame.digest() for frame in picked] == [all_hashes[number] for number in chosen]


def test_the_same_clip_gives_the_same_bytes(workplace: Path) -> None:
    path = workplace / "one.mp4"
    write_clip(path, sound=True)
    seen = []
    for _ in range(2):
        folder = extract(path).folder
        seen.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()})
    assert seen[0] == seen[1]
    assert set(seen[0]) == {"shard-0000.mkv", "index.parquet", "facts.json", "audio.mov"}


def test_sound_is_carried_bit_for_bit(workplace: Path) -> None:
    path = workplace / "one.mp4"
    write_clip(path, frames=50, sound=True)
    frames = extract(path)
    assert frames.audio is not None

    def packets(file: Path) -> list[tuple[int | None, bytes]]:
        with av.open(os.fspath(file)) as container:
            return [(packet.pts, bytes(packet)) for packet in container.demux(audio=0) if packet.size]

    assert len(packets(path)) > 50
    assert packets(frames.audio) == packets(path)


def test_shots_begin_at_cuts_and_nowhere_else(workplace: Path) -> None:
    """Two test pictures joined: one cut, at frame 30."""
    path = workplace / "one.mp4"
    two = "testsrc2=d=1.2:s=160x120:r=25[a];mandelbrot=s=160x120:r=25,trim=duration=1.2[b];[a][b]concat=n=2:v=1"
    command = [ffmpeg_program(), "-v", "error", "-filter_complex", two, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True)
    shots = extract(path).index["shot"].tolist()
    assert shots == [0] * 30 + [1] * 30


@pytest.mark.parametrize(
    ("pixel_format", "lying"),
    [
        ("yuv420p", "yuv420p"),
        ("yuv422p", "yuv440p"),
        ("yuv422p10le", "yuv440p10le"),
        ("yuvj420p", "yuv420p"),
        ("yuvj422p", "yuv440p"),
    ],
)
def test_a_turned_clip_is_stood_upright_without_changing_a_sample(
    workplace: Path, pixel_format: str, lying: str
) -> None:
    plain, path = workplace / "plain.mp4", workplace / "one.mp4"
    write_clip(plain, pixel_format=pixel_format)
    command = [ffmpeg_program(), "-v", "error", "-display_rotation", "90", "-i", plain, "-c", "copy", path]
    subprocess.run(command, check=True)
    frames = extract(path)
    assert (frames.facts.width, frames.facts.height, frames.facts.pixel_format) == (48, 64, lying)
    for frame, wanted in zip(frames, decoded(plain), strict=True):
        for got, plane in zip(frame.planes(), wanted, strict=True):
            np.testing.assert_array_equal(got, np.rot90(plane, 1))  # 90 degrees counter-clockwise, as tagged


def test_colour_facts_are_kept(workplace: Path) -> None:
    path = workplace / "one.mp4"
    tags = "setparams=color_primaries=smpte170m:color_trc=bt709:colorspace=bt470bg:range=pc"
    source = f"testsrc2=d=0.4:s=64x48,format=yuv420p,{tags}"
    subprocess.run([ffmpeg_program(), "-v", "error", "-f", "lavfi", "-i", source, path], check=True)
    facts = extract(path).facts
    assert (facts.primaries, facts.transfer, facts.matrix, facts.range) == ("smpte170m", "bt709", "bt470bg", "pc")


def test_rgb_is_the_colour_that_went_in(workplace: Path) -> None:
    """Pure colours survive the way to BT.709 limited range and back within two code values."""
    path = workplace / "one.mp4"
    source = "color=c=0xC86432:d=0.2:s=64x48,format=rgb24,scale=out_color_matrix=bt709:out_range=tv,format=yuv444p"
    command = [ffmpeg_program(), "-v", "error", "-f", "lavfi", "-i", source, "-colorspace", "bt709", "-qp", "0"]
    subprocess.run([*command, "-color_range", "tv", path], check=True)
    rgb = next(decode(path)).rgb()
    np.testing.assert_allclose(rgb.reshape(-1, 3), [[0xC8, 0x64, 0x32]] * (64 * 48), atol=2)


class TestBadInput:
    """One clear error each, and no half artifact."""

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, workplace: Path) -> object:
        yield
        folder = workplace / "data" / "extraction"
        assert not folder.exists() or list(folder.iterdir()) == []

    def test_a_missing_clip(self, workplace: Path) -> None:
        with pytest.raises(Problem, match="not there"):
            extract(workplace / "one.mp4")

    def test_a_file_that_is_no_video(self, workplace: Path) -> None:
        (workplace / "one.mp4").write_text("not a film")
        with pytest.raises(Problem, match="can not be read as video"):
            extract(workplace / "one.mp4")

    def test_a_clip_without_frames(self, workplace: Path) -> None:
        path = workplace / "one.mkv"
        command = [ffmpeg_program(), "-v", "error", "-f", "lavfi", "-i", "color=s=64x48", "-frames:v", "0", path]
        subprocess.run(command, check=True)
        with pytest.raises(Problem, match=r"no frames|no video|can not be read"):
            extract(path)

    def test_a_clip_with_sound_only(self, workplace: Path) -> None:
        path = workplace / "one.mp4"
        command = [ffmpeg_program(), "-v", "error", "-f", "lavfi", "-i", "sine=d=0.2", path]
        subprocess.run(command, check=True)
        with pytest.raises(Problem, match="no video stream"):
            extract(path)

    def test_an_interlaced_clip_if_so_set(self, workplace: Path) -> None:
        path = workplace / "one.mkv"
        source = ["-f", "lavfi", "-i", "testsrc2=d=0.4:s=64x48,setfield=tff", "-c:v", "mpeg2video"]
        subprocess.run([ffmpeg_program(), "-v", "error", *source, "-flags", "+ilme+ildct", path], check=True)
        with pytest.raises(Problem, match="interlaced"):
            extract(path, interlaced="refuse")

    def test_no_consent(self, workplace: Path, clip: Path) -> None:
        (workplace / "data" / "consent" / "ada.yaml").unlink()
        with pytest.raises(Problem, match="no consent record"):
            extract(clip)

    def test_an_unknown_clip(self, workplace: Path, clip: Path) -> None:
        with pytest.raises(Problem, match="there is no 'two'"):
            run("two", params_with({"one": clip}))
