"""What differs between two results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from flows.lineage.__main__ import app
from flows.lineage.difference import Cause, Difference, difference
from flows.lineage.snapshot import named
from tests.flows.conftest import commit, dvc
from tests.records import put_record

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"
BEFORE = f"{DELIVERABLE}@HEAD~1"


def compared(root: Path, one: str = BEFORE, other: str = DELIVERABLE) -> Difference:
    return difference(named(root, one), named(root, other))


def causes(found: Difference) -> list[tuple[str, str]]:
    return [(cause.kind, cause.what) for cause in found.causes]


def again(root: Path) -> None:
    dvc("repro", "--quiet", cwd=root)
    commit(root, "made again")


def test_another_clip_is_the_cause_and_all_else_followed(made: Path) -> None:
    (made / "footage" / "ben.txt").write_text("another ben\n")
    again(made)
    found = compared(made)
    assert not found.is_same
    assert causes(found) == [("clip", "footage/ben.txt")]
    assert found.causes[0].stages == ("extraction@ben",)
    assert found.followed == ("training@ada-ben", "encoding@ada-on-ben")


def test_root_causes_come_first_each_once(made: Path) -> None:
    settings, script = made / "params.yaml", made / "stages" / "step.sh"
    settings.write_text(settings.read_text().replace("iterations: 3", "iterations: 4"))
    script.write_text(script.read_text() + "# more\n")
    put_record(made / "data" / "consent", "ada", record_id="ada-2")
    again(made)
    found = compared(made)
    assert causes(found) == [
        ("consent", "data/consent/ada.yaml"),
        ("code", "stages/step.sh"),
        ("setting", "training.iterations"),
    ]
    consent, code, setting = found.causes
    assert consent.stages == ("extraction@ada", "encoding@ada-on-ben")
    assert code.files == ("stages/step.sh",)
    assert (setting.one, setting.other) == ("3", "4")
    assert found.is_same, "the small project's stages write the same whatever they are told"


def test_two_swaps_differ_by_what_they_are(made: Path) -> None:
    found = compared(made, DELIVERABLE, "data/encoding/ada-on-cyd/deliverable.mp4")
    assert ("setting", "swaps.*.target") in causes(found)
    assert ("clip", "footage/ben.txt / footage/cyd.txt") in causes(found)
    assert "extraction@ben / extraction@cyd" in {stage for cause in found.causes for stage in cause.stages}


def test_nothing_differs_from_itself(made: Path) -> None:
    found = compared(made, DELIVERABLE)
    assert (found.is_same, found.causes, found.followed) == (True, (), ())


def test_a_stage_that_does_not_repeat_itself_is_found(made: Path) -> None:
    lock = made / "dvc.lock"
    other = lock.read_text().replace("nfiles: 1\n  training@ada-ben", "nfiles: 1\n  training@ada-ben")
    stage = other.index("  extraction@ben:")
    out = other.index("md5: ", other.index("outs:", stage)) + len("md5: ")
    lock.write_text(f"{other[:out]}{'0' * 32}{other[out + 32 :]}")
    commit(made, "another result of the same")
    assert compared(made).causes[0] == Cause(
        ("extraction@ben",), "chance", "the result", compared(made).causes[0].one, f"{'0' * 32}.dir"
    )


@pytest.mark.parametrize("more", ["one", "other"])
def test_a_stage_that_writes_more_once_is_told_by_what_only_one_has(made: Path, more: str) -> None:
    lock = made / "dvc.lock"
    less = lock.read_text()
    content = yaml.safe_load(less)
    outs = content["stages"]["extraction@ben"]["outs"]
    outs.append(outs[0] | {"path": "data/extraction/ben-2", "md5": "0" * 32})
    for text in (yaml.safe_dump(content), less) if more == "one" else (yaml.safe_dump(content),):
        lock.write_text(text)
        commit(made, "another number of outputs")
    (cause,) = compared(made).causes
    assert (cause.stages, cause.kind) == (("extraction@ben",), "chance")
    assert (cause.one, cause.other) == (("0" * 32, "none") if more == "one" else ("none", "0" * 32))


def diff(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["diff", *arguments])


@pytest.mark.usefixtures("made")
def test_as_a_tree_and_as_json_and_as_an_exit_status() -> None:
    other = "data/encoding/ada-on-cyd/deliverable.mp4"
    assert diff(DELIVERABLE, DELIVERABLE).exit_code == 0
    tree = diff(DELIVERABLE, other)
    assert tree.exit_code == 1
    assert "setting swaps.*.clip: ben -> cyd" in tree.stdout
    document = json.loads(diff(DELIVERABLE, other, "--json").stdout)
    assert document["same"] is False
    assert document["causes"][0]["stages"]
