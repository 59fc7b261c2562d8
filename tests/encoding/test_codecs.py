"""Each codec that can be chosen: the same bytes each time, exact times, and plain words where something can not be."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from stages.artifacts.frames import Frames
from stages.encoding.codecs import CODECS
from stages.encoding.container import times_in
from stages.problems import Problem
from stages.video import planes_of, timecode_of
from tests.footage import LIT, Case, deliver, extract, lossless, remade, tags, x264

MOVING = [name for name, codec in CODECS.items() if codec.containers]


def clip(folder: Path, pixel_format: str = "yuv422p10le", **case: Any) -> Frames:
    return extract(Case("clip", "a.mkv", lossless(pixel_format), frames=24, **case).make(folder))


FITTING = {"h264": "yuv422p10le", "h265": "yuv444p12le", "av1": "yuv420p10le", "prores": "yuv422p10le"}


@pytest.mark.parametrize("codec", MOVING)
def test_the_same_frames_give_the_same_bytes(workplace: Path, codec: str) -> None:
    frames = clip(workplace, FITTING.get(codec, "yuv420p12le"))
    files = [deliver(frames, workplace / f"out{number}", codec=codec, preset="fast").video for number in range(2)]
    assert len({hashlib.sha256(file.read_bytes()).hexdigest() for file in files}) == 1


@pytest.mark.parametrize("pixel_format", sorted({each for codec in CODECS.values() for each in codec.formats}))
def test_each_format_reaches_the_encoder_unharmed(pixel_format: str) -> None:
    """Through NUT, by which pictures go into ffmpeg."""
    picture = av.VideoFrame(64, 48, pixel_format)
    rng = np.random.default_rng(0)
    for plane in planes_of(picture):
        plane[:] = rng.integers(0, 200, plane.shape)
    pipe = io.BytesIO()
    with av.open(pipe, "w", format="nut") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        picture.pts, picture.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    pipe.seek(0)
    with av.open(pipe) as container:
        come = next(container.decode(video=0))
        assert come.format.name == pixel_format
        for old, new in zip(planes_of(picture), planes_of(come), strict=True):
            np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("codec", MOVING)
def test_odd_times_are_exact_in_the_usual_container(workplace: Path, codec: str) -> None:
    case = Case("times", "a.mov", x264("yuv422p10le"), rate="24000/1001", frames=12)
    frames = extract(case.make(workplace))
    made = deliver(frames, workplace / "out", codec=codec, pixel_format="nearest")
    base = Fraction(frames.facts.time_base)
    assert times_in(made.video) == [pts * base for pts in frames.index["pts"]]
    assert made.facts["codec"] == codec
    assert made.video.suffix == {"prores": ".mov", "ffv1": ".mov"}.get(codec, ".mp4")


def test_matroska_refuses_times_that_it_can_not_hold(workplace: Path) -> None:
    frames = extract(Case("times", "a.mov", x264(), rate="24000/1001").make(workplace))
    with pytest.raises(Problem, match="whole milliseconds"):
        deliver(frames, workplace / "out", codec="ffv1", container="mkv")


@pytest.mark.parametrize("codec", ["h264", "h265", "av1"])
def test_a_bitrate_takes_the_place_of_the_rate_factor(workplace: Path, codec: str) -> None:
    frames = clip(workplace, "yuv420p", change="noise=alls=60:allf=t")
    sizes = [
        deliver(frames, workplace / f"out{rate}", codec=codec, bitrate=rate).video.stat().st_size
        for rate in (100, 2000)
    ]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("codec", "pixel_format", "words"),
    [
        ("h264", "yuv420p12le", "choose encoding.codec: h265 or ffv1"),
        ("h264", "yuva444p", "encoding.alpha: drop"),
        ("av1", "yuv444p", "h264 or h265 or ffv1"),
        ("prores", "yuv420p", "pixel_format: nearest"),
        ("png", "yuv420p", "pixel_format: nearest"),
    ],
)
def test_what_can_not_be_held_is_refused_with_what_can(
    workplace: Path, codec: str, pixel_format: str, words: str
) -> None:
    frames = clip(workplace, pixel_format, change=f"format={pixel_format}")
    with pytest.raises(Problem, match=words):
        deliver(frames, workplace / "out", codec=codec)
    assert list((workplace / "out").iterdir()) == []


@pytest.mark.parametrize("codec", ["prores", "ffv1"])
def test_full_range_is_not_lost_in_silence(workplace: Path, codec: str) -> None:
    full = tags("bt709", "bt709", "bt709", "pc")
    frames = extract(Case("full", "a.mov", x264("yuv422p10le"), change=full).make(workplace))
    with pytest.raises(Problem, match="full range"):
        deliver(frames, workplace / "out", codec=codec)
    made = deliver(frames, workplace / "near", codec=codec, pixel_format="nearest")
    assert "full range became limited" in made.facts["converted"]
    for old, new in zip(frames, made.frames(), strict=True):
        assert np.abs(old.rgb().astype(int) - new.rgb()).mean() < 4


@pytest.mark.parametrize("pixel_format", ["gray", "gray12le", "gbrp10le", "yuva444p12le", "yuv440p", "yuv411p"])
def test_ffv1_keeps_every_sample(workplace: Path, pixel_format: str) -> None:
    frames = clip(workplace, pixel_format, change=f"format={pixel_format}")
    made = deliver(frames, workplace / "out", codec="ffv1")
    assert [frame.digest() for frame in made.frames()] == frames.index["hash"].tolist()


def test_a_conversion_that_was_asked_for_is_said(workplace: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames = clip(workplace, "yuva444p", change="format=yuva444p")
    made = deliver(frames, workplace / "out", alpha="drop", pixel_format="yuv420p")
    assert made.facts["converted"] == "alpha of yuva444p dropped; yuva444p became yuv420p"
    assert made.facts["converted"] in caplog.text


@pytest.mark.parametrize("rotation", ["clip", "upright"])
@pytest.mark.parametrize("codec", ["h264", "prores", "ffv1"])
def test_a_turned_clip_is_shown_upright_either_way(workplace: Path, codec: str, rotation: str) -> None:
    case = Case("turned", "a.mov", x264("yuv422p10le"), finish=remade(before=["-display_rotation", "90"]))
    frames = extract(case.make(workplace))
    # upright, the pictures' 4:2:2 lies on its side, which none of the codecs holds
    form = "clip" if rotation == "clip" else "nearest"
    made = deliver(frames, workplace / "out", codec=codec, rotation=rotation, pixel_format=form)
    with av.open(str(made.video)) as container:
        coded = container.streams.video[0].codec_context
        assert (coded.width, coded.height) == ((96, 64) if rotation == "clip" else (64, 96))
    for old, new in zip(frames, made.frames(), strict=True):
        assert np.abs(old.rgb().astype(int) - new.rgb()).mean() < 6


def test_sound_lies_beside_pictures(workplace: Path) -> None:
    frames = extract(Case("sound", "a.mov", lossless("gray"), sound=[("pcm_s16le", "eng")]).make(workplace))
    made = deliver(frames, workplace / "out", codec="png")
    assert sorted(path.name for path in (workplace / "out").iterdir()) == ["deliverable", "facts.json", "sound.mov"]
    assert frames.audio is not None
    assert (workplace / "out/sound.mov").read_bytes() == frames.audio.read_bytes()
    assert made.video.name == "deliverable"


@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [("dpx", "gbrp10le"), ("dpx", "gbrp12le"), ("tiff", "rgb48le"), ("tiff", "gray16le"), ("png", "gbrp16le")],
)
def test_deep_pictures_keep_every_sample(workplace: Path, codec: str, pixel_format: str) -> None:
    frames = clip(workplace, pixel_format, change=f"format={pixel_format}")
    made = deliver(frames, workplace / "out", codec=codec)
    for old, new in zip(frames, made.frames(), strict=True):
        reordered = new.picture.reformat(format=old.picture.format.name)
        assert replace(new, picture=reordered).digest() == old.digest()


@pytest.mark.parametrize("codec", ["png", "tiff", "dpx"])
@pytest.mark.parametrize("range_", ["pc", "tv"])
def test_grey_that_becomes_deeper_looks_the_same(workplace: Path, codec: str, range_: str) -> None:
    frames = clip(workplace, "gray12le", change=f"format=gray12le,setparams=range={range_}")
    made = deliver(frames, workplace / "out", codec=codec, pixel_format="nearest")
    for old, new in zip(frames, made.frames(), strict=True):
        shown, wanted = (each.picture.reformat(format="gray16le").to_ndarray().astype(int) for each in (new, old))
        assert np.abs(shown - wanted).max() <= 16  # one step of 12 bits


def test_what_pictures_can_not_say_is_said(workplace: Path, caplog: pytest.LogCaptureFixture) -> None:
    change = f"{tags('bt2020', 'smpte2084', 'gbr', 'pc')},setsar=16/11"
    frames = clip(workplace, "gbrp12le", change=f"format=gbrp12le,{change}")
    made = deliver(frames, workplace / "out", codec="dpx")
    assert made.facts["left_out"] == ["primaries", "transfer"]  # DPX does say the shape of pixels
    assert "primaries" in caplog.text


@pytest.mark.parametrize("codec", ["prores", "ffv1"])
def test_light_that_a_codec_can_not_say_is_said(workplace: Path, caplog: pytest.LogCaptureFixture, codec: str) -> None:
    own = f"log-level=error:master-display={LIT[0]}:max-cll={LIT[1]}"
    coded = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv422p10le", "-x265-params", own]
    frames = extract(Case("lit", "a.mov", coded).make(workplace))
    made = deliver(frames, workplace / "out", codec=codec)
    assert made.facts["left_out"] == ["content_light", "mastering_display"]
    assert "mastering_display" in caplog.text


def test_pictures_refuse_a_variable_rate(workplace: Path) -> None:
    change = "settb=1/1000,setpts=N*40+mod(N\\,4)*9"
    frames = extract(Case("variable", "a.mkv", lossless("gray"), change=change).make(workplace))
    with pytest.raises(Problem, match="not shown equally long"):
        deliver(frames, workplace / "out", codec="png")


@pytest.mark.parametrize("file", ["a.mov", "a.mkv"])
def test_the_timecode_is_carried(workplace: Path, file: str) -> None:
    frames = extract(Case("timecode", file, x264(), more=["-timecode", "01:02:03:04"]).make(workplace))
    for container in ("mp4", "mov", "mkv"):
        made = deliver(frames, workplace / container, container=container)
        with av.open(str(made.video)) as opened:
            assert timecode_of(opened) == "01:02:03:04"
