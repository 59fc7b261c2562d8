"""A written clip: what it says of itself, the same bytes each time, and nothing left of one that failed."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from stages.problems import Problem
from stages.rendering.film import filming
from stages.rendering.sound import RATE
from stages.video import decode

FRAMES, RATE_SHOWN, SIZE = 12, 25, 64


def _pictures() -> list[NDArray[np.uint8]]:
    """A soft disc on a gradient that moves by two pixels a frame, (SIZE, SIZE, 3) each."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    discs = [np.exp(-((x - 16 - 2 * number) ** 2 + (y - 32) ** 2) / 200.0) for number in range(FRAMES)]
    return [np.stack([40 + 180 * disc, 60 + 2 * x, 200 - 2 * y], axis=-1).astype(np.uint8) for disc in discs]


def _voice() -> NDArray[np.float32]:
    time = np.arange(RATE * FRAMES // RATE_SHOWN) / RATE
    return (0.4 * np.sin(2 * np.pi * 200.0 * time)).astype(np.float32)


def _write(path: Path) -> None:
    with filming(path, _voice(), SIZE, SIZE, RATE_SHOWN, 12) as film:
        for picture in _pictures():
            film.add(picture)


def test_a_clip_holds_the_pictures_the_voice_and_its_colours(tmp_path: Path) -> None:
    _write(tmp_path / "clip.mp4")
    read = list(decode(tmp_path / "clip.mp4"))
    assert [frame.pts * RATE_SHOWN / int(frame.facts.time_base.split("/")[1]) for frame in read] == list(range(FRAMES))
    for frame, picture in zip(read, _pictures(), strict=True):
        assert np.square(frame.rgb().astype(float) - picture).mean() < 13.0  # 37 dB
    facts = read[0].facts
    assert (facts.primaries, facts.transfer, facts.matrix, facts.range) == ("bt709", "bt709", "bt709", "tv")
    with av.open(str(tmp_path / "clip.mp4")) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert abs(np.argmax(np.abs(np.fft.rfft(heard))) * RATE / len(heard) - 200.0) < RATE / len(heard)


def test_the_same_pictures_give_the_same_bytes(tmp_path: Path) -> None:
    written = set()
    for _ in range(5):
        _write(tmp_path / "clip.mp4")
        written.add((tmp_path / "clip.mp4").read_bytes())
    assert len(written) == 1


def _ffmpeg() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "ffmpeg" in child.name()]


def test_an_interruption_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        filming(tmp_path / "clip.mp4", _voice(), SIZE, SIZE, RATE_SHOWN, 12) as film,
    ):
        film.add(_pictures()[0])
        assert len(_ffmpeg()) == 1
        raise KeyboardInterrupt
    assert not _ffmpeg()
    assert not list(tmp_path.iterdir())


def test_an_ffmpeg_that_ends_early_is_one_problem(tmp_path: Path) -> None:
    picture = _pictures()[0]
    with (
        pytest.raises(Problem, match="ffmpeg could not write it"),
        filming(tmp_path / "clip.mp4", _voice(), SIZE, SIZE, RATE_SHOWN, 12) as film,
    ):
        for child in _ffmpeg():
            child.kill()
        for _ in range(1000):  # more than a pipe holds
            film.add(picture)
    assert not list(tmp_path.iterdir())
