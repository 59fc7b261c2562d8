"""The way of an artifact, as it is told now."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from flows.lineage.trace import TracedStep, trace
from tests.flows.conftest import commit, dvc, run
from tests.records import put_record

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


def steps(root: Path) -> dict[str, TracedStep]:
    return {traced.step.stage: traced for traced in trace(root, DELIVERABLE).steps}


def test_every_step_with_hashes_settings_code_consent_and_figures(made: Path) -> None:
    found = trace(made, DELIVERABLE)
    revision = run("git", "rev-parse", "HEAD", cwd=made).strip()
    assert found.state == "as recorded"
    by_stage = {traced.step.stage: traced for traced in found.steps}
    assert by_stage["training@ada-ben"].step.settings["params.yaml"]["training"] == {"iterations": 3}
    assert [(item.artifact.path, item.kind) for item in by_stage["extraction@ben"].inputs] == [
        ("data/consent/ben.yaml", "consent"),
        ("footage/ben.txt", "clip"),
        ("stages/step.sh", "code"),
    ]
    for traced in found.steps:
        assert traced.stale == ()
        assert traced.code.paths == ("stages/step.sh",)
        assert traced.code.is_revision
        assert traced.code.recorded == revision
    consents = by_stage["encoding@ada-on-ben"].consents
    assert [(one.identity, one.role, one.id, one.standing) for one in consents] == [
        ("ada", "source", "ada-1", "active"),
        ("ben", "target", "ben-1", "active"),
    ]
    assert [(one.step.stage, one.metrics) for one in found.measured_by] == [
        ("evaluation@ada-on-ben", {"psnr": 23.5, "identity": {"nearer": 0.97}})
    ]


def test_a_file_in_a_folder_is_compared_by_its_own_hash(made: Path) -> None:
    (made / "data" / "encoding" / "ada-on-ben" / "other.txt").write_text("not of the deliverable")
    assert trace(made, DELIVERABLE).state == "as recorded"
    (made / DELIVERABLE).chmod(0o644)
    (made / DELIVERABLE).write_text("spoilt")
    assert trace(made, DELIVERABLE).state == "changed"
    shutil.rmtree(made / "data" / "encoding")
    assert trace(made, DELIVERABLE).state == "not there"


def test_without_the_cache_the_folder_still_answers(made: Path) -> None:
    shutil.rmtree(made / ".dvc" / "cache")
    found = trace(made, DELIVERABLE)
    assert found.md5 is None
    assert found.state == "as recorded"


def test_changed_code_is_told_whether_committed_or_not(made: Path) -> None:
    script = made / "stages" / "step.sh"
    original = script.read_text()
    script.write_text(original + "# more\n")
    assert steps(made)["extraction@ben"].code.changed == ("stages/step.sh",)
    commit(made)
    code = steps(made)["extraction@ben"].code
    assert not code.is_revision
    assert code.changed == ("stages/step.sh",)
    assert code.uncommitted == ()


def test_a_result_that_is_not_committed_says_so(made: Path) -> None:
    script = made / "stages" / "step.sh"
    script.write_text(script.read_text() + "# more\n")
    (made / "footage" / "ben.txt").write_text("another ben\n")
    dvc("repro", "--quiet", cwd=made)
    code = steps(made)["extraction@ben"].code
    assert code.uncommitted == ("stages/step.sh",)
    assert not code.is_revision
    assert code.recorded is None


def test_consent_that_was_withdrawn_or_lost_since(made: Path) -> None:
    record = made / "data" / "consent" / "ada.yaml"
    record.write_text(record.read_text().replace("status: active", "status: revoked"))
    ada = steps(made)["encoding@ada-on-ben"].consents[0]
    assert (ada.standing, ada.changed) == ("revoked", True)
    put_record(record.parent, "ada", term={"given": "2020-01-01", "expires": "2021-01-01"})
    assert steps(made)["encoding@ada-on-ben"].consents[0].standing == "expired"
    record.write_text(record.read_text().replace("expires: 2021", "expires: 2921"))
    assert "altered afterwards" in steps(made)["encoding@ada-on-ben"].consents[0].standing
    record.unlink()
    assert "no consent record" in steps(made)["encoding@ada-on-ben"].consents[0].standing


def test_figures_that_are_not_those_of_the_step_are_left_out(made: Path) -> None:
    (made / "data" / "evaluation" / "ada-on-ben" / "metrics.json").write_text(json.dumps({"psnr": 99}))
    assert trace(made, DELIVERABLE).measured_by[0].metrics is None


def test_without_git_the_rest_is_told(made: Path) -> None:
    (made / ".git").rename(made / ".elsewhere")
    dvc("config", "core.no_scm", "true", cwd=made)
    code = steps(made)["extraction@ben"].code
    assert (code.revision, code.recorded, code.is_revision) == (None, None, False)
