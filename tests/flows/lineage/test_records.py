"""What dvc.lock says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.lineage.records import Records, overlap
from stages.problems import Problem
from tests.flows.conftest import hashes

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


def test_upstream_of_a_deliverable_the_last_step_first(made: Path) -> None:
    steps = Records.read(made).upstream(DELIVERABLE)
    assert [step.stage for step in steps][:2] == ["encoding@ada-on-ben", "training@ada-ben"]
    assert {step.stage for step in steps[2:]} == {"extraction@ada", "extraction@ben"}
    assert steps[0].outputs[0].md5 == hashes(made)["data/encoding/ada-on-ben"]
    assert steps[0].setting("swaps") == (
        "ada-on-ben",
        {"pair": "ada-ben", "source": "ada", "target": "ben", "clip": "ben"},
    )


def test_what_uses_a_clip_in_the_order_in_which_it_was_made(made: Path) -> None:
    steps = Records.read(made).downstream("footage/cyd.txt")
    assert [step.stage for step in steps] == [
        "extraction@cyd",
        "training@ada-cyd",
        "encoding@ada-on-cyd",
        "evaluation@ada-on-cyd",
    ]


def test_upstream_and_downstream_are_two_sides_of_one_graph(made: Path) -> None:
    records = Records.read(made)
    for step in records.steps.values():
        for output in step.outputs:
            for user in records.downstream(output.path):
                assert step in records.upstream(user.outputs[0].path)


def test_a_folder_over_several_outputs_has_all_their_makers(made: Path) -> None:
    assert set(Records.read(made).makers("data/extraction")) == {"extraction@ada", "extraction@ben", "extraction@cyd"}


def test_before_the_first_run_it_says_what_to_do(project: Path) -> None:
    with pytest.raises(Problem, match="dvc repro"):
        Records.read(project)


def test_a_damaged_lock_file_is_named(made: Path) -> None:
    (made / "dvc.lock").write_text("stages: [")
    with pytest.raises(Problem, match=r"dvc\.lock.*damaged"):
        Records.read(made)


@pytest.mark.parametrize(
    ("path", "mend"),
    [
        ("data/encoding/ada-on-bem/deliverable.mp4", "known here|did you mean"),
        ("data/encoding/other", "known here: data/encoding/ada-on-ben, data/encoding/ada-on-cyd"),
        ("footage/ada.txt", "--what-uses"),
        ("nothing.txt", "known: data/"),
    ],
)
def test_an_unknown_path_gets_the_nearest_known(made: Path, path: str, mend: str) -> None:
    with pytest.raises(Problem, match=mend) as told:
        Records.read(made).upstream(path)
    assert path in str(told.value)


names = st.lists(st.sampled_from(["a", "ab", "b"]), min_size=1, max_size=4).map("/".join)


@given(names, names)
def test_overlap_is_about_whole_names(one: str, other: str) -> None:
    first, second = Path(one), Path(other)
    assert overlap(one, other) == (first == second or first in second.parents or second in first.parents)


def test_settings_are_what_dvc_wrote_and_not_what_another_yaml_makes_of_them() -> None:
    lock = b"stages:\n  extraction@one:\n    cmd: make\n    params:\n      params.yaml:\n        clips.one:\n"
    lock += b"          start: 0:01:12.5\n          end: 1:30\n          every: 3\n"
    (step,) = Records.parse(lock).steps.values()
    assert step.settings == {"params.yaml": {"clips.one": {"start": "0:01:12.5", "end": "1:30", "every": 3}}}
