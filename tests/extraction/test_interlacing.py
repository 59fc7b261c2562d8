"""Interlaced frames become whole ones: the first field keeps its lines, and only they are made from two fields."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.problems import Problem
from stages.video import decode
from tests.footage import DEINTERLACED, INTERLACED, Case, extract, facts, ffmpeg

WIDTH, HEIGHT = 96, 64


def luma_by_ffmpeg(path: Path, filters: str) -> np.ndarray:
    """(frames, HEIGHT, WIDTH) uint8, as the ffmpeg program makes it."""
    raw = ffmpeg("-i", path, "-vf", filters, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT * 3 // 2, WIDTH)[:, :HEIGHT]


@pytest.mark.parametrize(("order", "first"), [("tff", 0), ("bff", 1)])
def test_the_first_field_keeps_its_lines(workplace: Path, order: str, first: int) -> None:
    path = Case("interlaced", "a.mkv", INTERLACED, change=f"setfield={order}").make(workplace)
    for made, coded in zip(extract(path), decode(path), strict=True):
        np.testing.assert_array_equal(made.planes()[0][first::2], coded.planes()[0][first::2])
        assert not np.array_equal(made.planes()[0][1 - first :: 2], coded.planes()[0][1 - first :: 2])


@pytest.mark.parametrize("order", ["tff", "bff"])
def test_the_others_are_those_of_the_ffmpeg_program(workplace: Path, order: str) -> None:
    """But for the uppermost of the first frame, where versions of FFmpeg differ."""
    path = Case("interlaced", "a.mkv", INTERLACED, change=f"setfield={order}").make(workplace)
    found = np.stack([frame.planes()[0] for frame in extract(path)])
    different = np.argwhere((found != luma_by_ffmpeg(path, DEINTERLACED)).any(axis=2))
    assert all(frame == 0 and line < 3 for frame, line in different.tolist())


def test_whole_frames_before_and_after_pass_untouched(workplace: Path) -> None:
    whole = Case("whole", "whole.ts", ["-c:v", "mpeg2video", "-b:v", "2M", "-pix_fmt", "yuv420p", "-bf", "0"])
    halves = Case("halves", "halves.ts", [*INTERLACED, "-bf", "0"], change="setfield=tff")
    parts = [whole.make(workplace), halves.make(workplace)]
    (workplace / "list").write_text("".join(f"file '{part}'\n" for part in [*parts, parts[0]]))
    path = workplace / "mixed.mkv"
    ffmpeg("-f", "concat", "-safe", "0", "-i", workplace / "list", "-c", "copy", path)
    frames = extract(path)
    changed = [
        frame.number
        for frame, coded in zip(frames, decode(path), strict=True)
        if not np.array_equal(frame.planes()[0], coded.planes()[0])
    ]
    assert changed == list(range(16, 32))
    assert facts(frames)["deinterlaced"]["frames"] == 16


def test_a_format_that_the_filter_lacks_is_refused(workplace: Path) -> None:
    coded = ["-c:v", "rawvideo", "-pix_fmt", "rgb24", "-field_order", "tt"]
    path = Case("rgb", "a.mov", coded, change="setfield=tff").make(workplace)
    with pytest.raises(Problem, match="can not be deinterlaced without a conversion"):
        extract(path)
