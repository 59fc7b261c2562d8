"""What a person writes comes out unchanged, each kind apart; what is wrong with it is told with the mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.artifacts.decisions import DECIDED, KINDS, Correction, Decisions, Drop, Person, Span, TrackName, spans_of
from stages.check import problems_of
from stages.decisions.stage import place, run
from stages.problems import Problem
from stages.settings import Params
from tests.conftest import params_with

FILE = Path("data/decisions/one.yaml")
WHOLE = """
version: 1
footage: 325-3fa9c2d1
person:
  right: [{track: 3, first: 120}]
  wrong: [{track: 0, first: 0}]
landmarks:
  - {frame: 40, points: {4: [160.5, 120], 152: [161, 180.25]}}
drop:
  - 17
  - 120-180
  - {frames: [200 - 210, 215], reason: "eine Hand vor dem Gesicht, größer"}
"""


@pytest.fixture
def params(workplace: Path) -> Params:
    """One clip, "one", and the folder for decisions about it."""
    (workplace / FILE).parent.mkdir()
    return params_with({"one": Path("one.mp4")})


def refused(params: Params, text: str, file: Path = FILE) -> Problem:
    """The problem with a file, which must leave nothing behind; `make check` tells the same."""
    file.write_text(text)
    with pytest.raises(Problem) as caught:
        run("one", params)
    assert not place("one").exists()
    assert str(caught.value) in [str(problem) for problem in problems_of(params)]
    return caught.value


def test_each_kind_comes_out_apart_as_it_was_written(params: Params) -> None:
    FILE.write_text(WHOLE)
    run("one", params)
    assert sorted(path.name for path in place("one").iterdir()) == sorted(f"{kind}.json" for kind in KINDS)
    person, landmarks, drop = (Decisions.read("one", kind) for kind in KINDS)
    assert {each.footage for each in (person, landmarks, drop)} == {"325-3fa9c2d1"}
    assert person.person == Person(right=(TrackName(track=3, first=120),), wrong=(TrackName(track=0, first=0),))
    assert landmarks.landmarks == (Correction(frame=40, face=0, points={4: (160.5, 120), 152: (161, 180.25)}),)
    assert [drop.frames for drop in drop.drop] == [((17, 17),), ((120, 180),), ((200, 210), (215, 215))]
    assert drop.drop[2].reason == "eine Hand vor dem Gesicht, größer"
    assert [len(each) for each in (person, landmarks, drop)] == [2, 1, 3]


def test_without_a_file_or_in_an_empty_one_nothing_is_decided(params: Params) -> None:
    run("one", params)
    made = {kind: (DECIDED / "one" / f"{kind}.json").read_bytes() for kind in KINDS}
    FILE.write_text("# nothing yet\n")
    run("one", params)
    for kind in KINDS:
        assert (DECIDED / "one" / f"{kind}.json").read_bytes() == made[kind]
        assert Decisions.read("one", kind) == Decisions()
        assert Decisions.read("one", kind).facts() == {}


def test_a_changed_kind_changes_no_other(params: Params) -> None:
    """So DVC runs again only the stage that reads it."""
    FILE.write_text("footage: a\nperson: {right: [{track: 0, first: 0}]}\n")
    run("one", params)
    before = {path.name: path.read_bytes() for path in place("one").iterdir()}
    FILE.write_text("footage: a\nperson: {right: [{track: 0, first: 0}]}\ndrop: [3]\n")
    run("one", params)
    after = {path.name: path.read_bytes() for path in place("one").iterdir()}
    assert [name for name in before if before[name] != after[name]] == ["drop.json"]


def test_the_facts_tell_how_many_and_which() -> None:
    some, others = (Decisions(drop=(Drop(frames=frames),)) for frames in ("3-5", "3-6"))
    assert some.facts()["decisions"]["count"] == 1
    assert some.facts() != others.facts()
    assert some.facts() == Decisions(drop=(Drop(frames=[Span(3, 5)]),)).facts()


@given(st.sets(st.integers(0, 400)))
def test_frames_told_as_ranges_are_the_same_frames(frames: set[int]) -> None:
    told = [str(span) for span in spans_of(frames)]
    if told:
        spans = Drop(frames=told).frames
        assert [number for span in spans for number in range(span.first, span.last + 1)] == sorted(frames)
    else:
        assert not frames


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("dorp: [3]", "dorp", "did you mean 'drop'?"),
        ("person: {rihgt: []}", "person.rihgt", "did you mean 'right'?"),
        ("landmarks: [{frame: 3, point: {4: [1, 2]}}]", "landmarks.0.point", "did you mean 'points'?"),
        ("drop: [{reason: x}]", "drop.0.frames", "add it; docs/decisions.md describes it"),
        ("drop: [3, {frames: 3, reasen: x}]", "drop.1.reasen", "did you mean 'reason'?"),
        ("drop: [180-120]", "drop.0.frames.0", "the range ends at 120, before it begins at 180"),
        ("drop: [all]", "drop.0.frames.0", "give a frame's number (17) or a range of frames (120-180)"),
        ("drop: [-3]", "drop.0.frames.0", "give a frame's number"),
        ("drop: [true]", "drop.0.frames.0", "give a frame's number"),
        ("drop: [{frames: []}]", "drop.0.frames", "at least 1 item"),
        ("person: {right: [{track: 3}]}", "person.right.0.first", "this key is missing"),
        ("person: {right: [3]}", "person.right.0", "valid dictionary"),
        (
            "person: {right: [{track: 3, first: 1}], wrong: [{track: 3, first: 1}]}",
            "person",
            "track 3 stands 2 times under right and wrong; keep one of them",
        ),
        ("landmarks: [{frame: 3, points: {}}]", "landmarks.0.points", "at least 1 item"),
        ("landmarks: [{frame: 3, points: {478: [1, 2]}}]", "landmarks.0.points", "less than 478"),
        ("landmarks: [{frame: 3, points: {4: [1, .nan]}}]", "landmarks.0.points", "finite"),
        (
            "landmarks: [{frame: 3, points: {4: [1, 2]}}, {frame: 3, points: {5: [1, 2]}}]",
            "one.yaml",
            "face 0 of frame 3 stands 2 times under landmarks; put its points together",
        ),
        ("version: 2", "version", "1"),
        (
            "drop: [3]\ndrop: [4]",
            "one.yaml",
            'found duplicate key "drop" with value "[]" (original value: "[]"), line 2',
        ),
        ("drop: [3", "one.yaml", "line 1"),
        ("- 3", "one.yaml", "valid dictionary"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(params: Params, text: str, where: str, said: str) -> None:
    problem = refused(params, text)
    assert problem.where.startswith("data/decisions/one.yaml")
    assert where in problem.where
    assert said in str(problem)


@pytest.mark.parametrize(
    ("name", "mend"),
    [("oen.yaml", "did you mean 'one'?"), ("one.yml", "name it one.yaml"), ("q.txt", "known: one")],
)
def test_a_file_that_would_be_ignored_is_refused(params: Params, name: str, mend: str) -> None:
    file = FILE.with_name(name)
    problem = refused(params, "drop: [3]", file)
    assert problem.where == str(file)
    assert mend in problem.mend


def test_the_folder_may_explain_itself(params: Params) -> None:
    FILE.with_name("README.md").write_text("# Decisions")
    FILE.with_name(".one.yaml.swp").write_bytes(b"an editor's")
    run("one", params)
    assert [problem.where for problem in problems_of(params)] == ["one.mp4"]


def test_a_clip_that_is_not_known_is_refused(params: Params) -> None:
    with pytest.raises(Problem, match="there is no 'oen'"):
        run("oen", params)


def test_a_missing_artifact_is_told(params: Params) -> None:
    with pytest.raises(Problem, match="not there"):
        Decisions.read("one", "drop")
