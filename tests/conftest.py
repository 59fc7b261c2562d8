"""What tests share: small clips made on the spot, and a fixed number of threads."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from stages.settings import Params, parse
from tests.records import put_records

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")

REPOSITORY = Path(__file__).parent.parent


UNENROLLED = "\ndetection: {unenrolled: warn}\n"
"""Most tests are about other things than the enrolled face, and have no pictures of their people."""


def write_clip(
    path: Path,
    *,
    frames: int = 12,
    width: int = 64,
    height: int = 48,
    pixel_format: str = "yuv420p",
    codec: str = "libx264",
    gaps: tuple[int, ...] = (1,),
    sound: bool = False,
    options: dict[str, str] | None = None,
) -> list[int]:
    """Write a clip of moving noise; returns the presentation times it was given, in 1/600 s.

    ``gaps`` are the durations of the frames in 1/25 s, repeated: (1,) is a constant rate, (1, 3) a variable one.
    """
    rng = np.random.default_rng(0)
    base = rng.integers(0, 255, (height // 8 + 8, width // 8 + 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    times = []
    with av.open(os.fspath(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.time_base = Fraction(1, 600)
        track = container.add_stream("aac", rate=48000, layout="mono") if sound else None
        at = 0
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(base[number : number + height, number : number + width]), format="rgb24"
            ).reformat(format=pixel_format)
            picture.pts, picture.time_base = at, Fraction(1, 600)
            times.append(at)
            at += 24 * gaps[number % len(gaps)]
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if track is not None:
            samples = at * 80 // 1024 * 1024
            wave = (np.sin(np.arange(samples) * 2 * np.pi * 440 / 48000) * 8000).astype(np.int16)
            for start in range(0, samples, 1024):
                block = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
                block.sample_rate, block.pts = 48000, start
                container.mux(track.encode(block))
            container.mux(track.encode(None))
    return times


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A small clip at a constant rate, without sound."""
    path = tmp_path / "clip.mp4"
    write_clip(path)
    return path


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder with the shipped settings and records that let every clip of a test in, entered."""
    shipped_settings = (REPOSITORY / "params.yaml").read_text()
    assert "\ndetection: {}\n" in shipped_settings
    (tmp_path / "params.yaml").write_text(shipped_settings.replace("\ndetection: {}\n", UNENROLLED))
    put_records(tmp_path / "data" / "consent", {"ada": ["ada", "one"], "ben": ["ben", "two"]})
    for shipped in ("packs", "visibility"):
        (tmp_path / "data" / shipped).symlink_to(REPOSITORY / "data" / shipped)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def params_with(clips: dict[str, Path]) -> Params:
    """The shipped settings with other footage: the first clip is ada's, the second ben's."""
    raw = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    raw["clips"] = {
        name: {"identity": identity, "path": str(path)}
        for (name, path), identity in zip(clips.items(), ("ada", "ben"), strict=False)
    }
    raw["swaps"] = {}
    raw["detection"] = {"unenrolled": "warn"}
    return parse(Params, raw, where="params.yaml")
