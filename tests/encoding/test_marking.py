"""The mark of a deliverable: read back from the file by what the project hands out, and by nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.frames import Frames
from stages.encoding import marking
from stages.problems import Problem
from stages.watermark import PUBLIC_KEY, read, read_file
from tests.footage import Case, deliver, extract, lossless, remade


def clip(folder: Path, pixel_format: str = "yuv420p", size: str = "320x240", **case: Any) -> Frames:
    return extract(Case("clip", "a.mkv", lossless(pixel_format), size=size, frames=24, **case).make(folder))


def test_a_deliverable_says_which_it_is(workplace: Path) -> None:
    made = deliver(clip(workplace), workplace / "out", watermark=True)
    (reading,) = read_file(made.video)
    assert f"{reading.identifier:012x}" == made.facts["watermark"]["identifier"]
    assert made.facts["watermark"]["key"] == "public"
    assert reading.false_alarm < 1e-9


@pytest.mark.parametrize("codec", ["h265", "av1", "prores", "ffv1", "png", "dpx"])
def test_every_codec_keeps_it(workplace: Path, codec: str) -> None:
    form = {"prores": "yuv422p10le", "png": "rgb24", "dpx": "gbrp10le"}.get(codec, "yuv420p")
    made = deliver(clip(workplace, form), workplace / "out", codec=codec, pixel_format="nearest", watermark=True)
    assert [f"{each.identifier:012x}" for each in read(made.frames())] == [made.facts["watermark"]["identifier"]]


def test_the_finished_frames_stay_as_they_are(workplace: Path) -> None:
    frames = clip(workplace)
    before = frames.fingerprint
    deliver(frames, workplace / "out", watermark=True)
    assert Frames.read(frames.folder).fingerprint == before
    assert [frame.digest() for frame in frames] == list(frames.index["hash"])


def test_the_same_swap_gets_the_same_mark_and_bytes(workplace: Path) -> None:
    frames = clip(workplace)
    first, second = (deliver(frames, workplace / name, watermark=True) for name in ("one", "two"))
    other = deliver(frames, workplace / "three", watermark=True, crf=20)
    assert first.facts["watermark"] == second.facts["watermark"] != other.facts["watermark"]
    assert first.video.read_bytes() == second.video.read_bytes()


def test_a_turned_clip_is_marked_as_it_is_seen(workplace: Path) -> None:
    turned = Case("turned", "a.mp4", ["-c:v", "libx264", "-crf", "12"], size="320x240", frames=24)
    path = turned.make(workplace)
    remade(before=["-display_rotation", "90"])(path)
    made = deliver(extract(path), workplace / "out", watermark=True)
    assert made.facts["turned"]
    assert len(read_file(made.video)) == 1


def test_a_key_of_ones_own_is_read_with_it_only(workplace: Path) -> None:
    key = workplace / "key"
    key.write_bytes(b"sixteen bytes or more")
    made = deliver(clip(workplace), workplace / "out", watermark=True, watermark_key=key)
    assert made.facts["watermark"]["key"] not in ("public", key.read_text())
    assert read_file(made.video, PUBLIC_KEY) == []
    assert len(read_file(made.video, key.read_bytes())) == 1


@pytest.mark.parametrize(
    ("content", "told"), [(None, "can not be read"), (b"short", "16 bytes at least")], ids=["missing", "short"]
)
def test_a_key_that_is_none_is_refused(workplace: Path, content: bytes | None, told: str) -> None:
    if content:
        (workplace / "key").write_bytes(content)
    with pytest.raises(Problem, match=told):
        deliver(clip(workplace), workplace / "out", watermark=True, watermark_key=workplace / "key")


def test_what_can_hold_no_mark_is_not_delivered(workplace: Path) -> None:
    with pytest.raises(Problem, match="too small for the watermark"):
        deliver(clip(workplace, size="96x64"), workplace / "small", watermark=True)
    black = clip(workplace, change="lutyuv=y=16:u=128:v=128")
    with pytest.raises(Problem, match="can not be read back"):
        deliver(black, workplace / "black", watermark=True)


@pytest.mark.parametrize(
    ("form", "change", "range"),
    [
        ("yuv420p", "lutyuv=y=val*30/255", "pc"),
        ("yuv420p", "lutyuv=y=250+val*5/255", "pc"),
        ("gray", "lutyuv=y=val*30/255", None),
        ("bgr0", "lutrgb=r=val*30/255:g=val*30/255:b=val*30/255", None),
    ],
    ids=["30 codes", "white", "grey", "RGB"],
)
def test_what_has_its_black_at_zero_holds_a_mark_in_the_dark_and_the_light(
    workplace: Path, form: str, change: str, range: str | None
) -> None:
    said = f",setparams=range={range}" if range else ""
    dark = Case("dark", "a.mkv", lossless(form), size="480x270", frames=24, change=f"format={form},{change}{said}")
    path = dark.make(workplace)
    made = deliver(extract(path), workplace / "out", pixel_format="nearest", watermark=True)
    assert f"{read_file(made.video)[0].identifier:012x}" == made.facts["watermark"]["identifier"]


def test_a_mark_that_was_lost_on_the_way_is_noticed(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking.Marking, "marked", lambda self, frames: iter(frames))
    with pytest.raises(Problem, match="can not be read back"):
        deliver(clip(workplace), workplace / "out", watermark=True)


def test_lossless_files_hold_the_marked_samples(workplace: Path) -> None:
    frames = clip(workplace)
    made = deliver(frames, workplace / "out", codec="ffv1", watermark=True)
    given = next(iter(frames)).planes()[0].astype(int)
    shown = next(Deliverable.read(made.video.parent).frames()).planes()[0].astype(int)
    change = np.square(shown - given).mean()
    assert 0 < change < 255**2 / 10**4.4  # 44 dB
