"""A part of a clip: from ``start`` to ``end``, each ``every``-th frame, with the sound that belongs to it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from stages.artifacts.frames import Frames
from stages.packets import tracks_in
from stages.problems import Problem
from tests.conftest import write_clip
from tests.footage import Case, chapters, deliver, extract, facts, params_for, x264


def hashes(frames: Frames) -> list[str]:
    return frames.index["hash"].tolist()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"start": 0.4}, range(10, 30)),
        ({"end": "0.4"}, range(10)),
        ({"start": "2/5", "end": "0:00:00.8"}, range(10, 20)),
        ({"every": 3}, range(0, 30, 3)),
        ({"start": 0.4, "every": 4}, range(10, 30, 4)),
        ({"start": 0.39, "end": 0.41}, range(10, 11)),
        ({"end": 1000}, range(30)),
    ],
    ids=str,
)
def test_the_frames_of_the_part_are_the_clips(workplace: Path, given: dict[str, Any], kept: range) -> None:
    path = workplace / "one.mp4"
    write_clip(path, frames=30)
    whole = hashes(extract(path))
    part = extract(path, **given)
    assert hashes(part) == [whole[number] for number in kept]
    base = Fraction(part.facts.time_base)
    assert [pts * base for pts in part.index["pts"]] == [Fraction(number - kept[0], 25) for number in kept]
    assert part.index["frame"].tolist() == list(range(len(kept)))
    ends = [*part.index["pts"].tolist()[1:], part.index["pts"].iloc[-1] + part.index["duration"].iloc[-1]]
    assert (part.index["pts"] + part.index["duration"]).tolist() == ends
    assert facts(part)["trim"]["first_frame"] == kept[0]


def test_variable_times_are_kept_exact(workplace: Path) -> None:
    path = workplace / "one.mp4"
    times = write_clip(path, frames=20, gaps=(1, 3, 2))
    part = extract(path, start="0.2", every=2)
    base = Fraction(part.facts.time_base)
    wanted = [time for time in times if time >= 120][::2]
    assert [pts * base for pts in part.index["pts"]] == [Fraction(time - wanted[0], 600) for time in wanted]


@pytest.mark.parametrize(
    ("file", "codec", "container"),
    [
        ("a.mp4", "aac", "mov"),
        ("a.mkv", "ac3", "mov"),
        ("a.mov", "pcm_s16le", "mov"),
        ("a.mkv", "libopus", "mp4"),
        ("a.mkv", "flac", "mp4"),
    ],
)
def test_sound_and_pictures_stay_together(workplace: Path, file: str, codec: str, container: str) -> None:
    case = Case("sound", file, x264(), frames=50, sound=[(codec, "eng"), (codec, "deu")])
    part = extract(case.make(workplace), start=0.52, end=1.2)
    assert part.audio is not None
    whole, kept = tracks_in(workplace / file, Fraction(13, 25), Fraction(6, 5)), tracks_in(part.audio)
    assert len(kept) == 2
    for old, new in zip(whole, kept, strict=True):
        assert (new.packets, new.size, new.state.digest()) == (old.packets, old.size, old.state.digest())
        assert all(
            abs(a - b - Fraction(13, 25)) <= Fraction(1, 1000)
            for a, b in zip(old.seconds(), new.seconds(), strict=True)
        )
    video = deliver(part, workplace / "out", container=container).video
    assert [track.state.digest() for track in tracks_in(video)] == [track.state.digest() for track in kept]


def test_chapters_move_with_the_part(workplace: Path) -> None:
    path = Case("chapters", "a.mp4", x264(), inputs=chapters, more=["-map_chapters", "1"]).make(workplace)
    told = facts(extract(path, start="0.2", end="0.44"))
    assert "left_out" not in told
    assert told["chapters"] == [
        {"start": "0", "end": "1/25", "title": "Opening"},
        {"start": "1/25", "end": "6/25", "title": "The rest"},
    ]


def test_the_timecode_is_that_of_the_first_frame(workplace: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = Case("timecode", "a.mov", x264(), frames=40, more=["-timecode", "01:02:03:04"]).make(workplace)
    assert facts(extract(path))["timecode"] == "01:02:03:04"
    assert facts(extract(path, start=1))["timecode"] == "01:02:04:04"
    thinned = facts(extract(path, every=2))
    assert "timecode" not in thinned
    assert [each["kind"] for each in thinned["left_out"]] == ["timecode"]
    assert "a timecode (01:02:03:04) is left out" in caplog.text


def test_a_part_beyond_the_end_is_refused_with_the_clips_length(workplace: Path) -> None:
    path = workplace / "one.mp4"
    write_clip(path)
    with pytest.raises(Problem, match=r"0\.48 s long") as told:
        extract(path, start=10)
    assert told.value.where.startswith("clips.one.start")
    assert not list(Path("data/extraction").iterdir())


def test_a_part_between_two_frames_is_refused_without_a_length(workplace: Path) -> None:
    path = workplace / "one.mp4"
    write_clip(path)
    with pytest.raises(Problem, match="no frame of the clip begins between its start and end") as told:
        extract(path, start=0.085, end=0.115)
    assert "later end" in told.value.mend
    assert not list(Path("data/extraction").iterdir())


@pytest.mark.parametrize(
    "wrong", [{"start": -1}, {"end": 0}, {"every": 0}, {"start": 3, "end": 2}, {"start": "soon"}, {"pictures": "a.png"}]
)
def test_wrong_parts_are_refused_by_field(wrong: dict[str, Any]) -> None:
    with pytest.raises(Problem, match=r"clips\.one") as told:
        params_for(Path("one.mp4"), **wrong)
    assert next(iter(wrong)) in str(told.value)
