"""The commands as a producer uses them: keys, a record by questions, both signatures, a withdrawal."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from stages.audit import log as audit
from stages.canonical import hash_of
from stages.consent import read_consent, require_record
from stages.consent.commands import app
from stages.consent.evidence import face_commitment, require_enrolment
from stages.consent.keys import face_key
from stages.credentials.registry import FOLDER as REGISTRY
from stages.credentials.registry import resolve
from stages.problems import BAD_INPUT, Problem
from stages.settings import load_params
from tests.conftest import REPOSITORY

ADA = Path("data/consent/ada.yaml")


@pytest.fixture
def project(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with no record of ada yet, a signed document, clip and picture of hers, a place for private keys."""
    ADA.unlink()
    (workplace / "data/consent/keys/ada.yaml").unlink()
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw["clips"]["ada"]["path"] = "ada.mp4"
    raw["identities"]["ada"] = {"reference": ["face.png"]}
    raw["detection"] = {}
    Path("params.yaml").write_text(yaml.safe_dump(raw))
    Path("face.png").write_bytes(b"a face")
    Path("ada.mp4").write_bytes(b"frames")
    Path("contract.pdf").write_bytes(b"I agree")
    Path("dvc.yaml").write_bytes((REPOSITORY / "dvc.yaml").read_bytes())
    monkeypatch.setenv("LIKENESS_KEYS", str(workplace / "private"))
    return workplace


def change_settings(**sections: Any) -> None:
    raw = yaml.safe_load(Path("params.yaml").read_text()) | sections
    Path("params.yaml").write_text(yaml.safe_dump(raw))


def consent(*arguments: str, status: int = 0, answers: str | None = None) -> Result:
    done = CliRunner().invoke(app, arguments, input=answers)
    assert done.exit_code == status, done.output + done.stderr
    return done


def make_keys(passphrase: str = "") -> None:
    for name, holder, party in (("ada", "Jane Q", "subject"), ("mine", "Example Ltd", "controller")):
        consent("keygen", name, "--holder", holder, "--party", party, "--passphrase", passphrase)


ANSWERS = {
    "record_id": "contract-7",
    "pii_principal_id": "Jane Q",
    "adult_attestation": "yes",
    "pii_controllers": "Example Ltd",
    "purpose": "one scene of Example",
    "media": "film, television",
    "geographic_restrictions": "worldwide",
    "withdrawal_method": "consent@example.invalid",
    "compensation_reference": "contract 7",
    "evidence.document.path": "contract.pdf",
    "evidence.document.kept": "legal",
}


def new(status: int = 0, **changes: str) -> Result:
    given = [part for field, answer in (ANSWERS | changes).items() for part in ("--set", f"{field}={answer}")]
    return consent("new", "ada", "--defaults", *given, status=status)


def test_from_no_key_to_a_record_in_force(project: Path) -> None:
    make_keys()
    drafted = new()
    assert "Jane Q, a person who has attested to be an adult" in drafted.stdout
    assert "sign ada --key KEY" in drafted.stdout
    assert not ADA.exists(), "a draft is not in force"
    assert "signed by the subject" in consent("sign", "ada", "--key", "ada", "--yes").stdout
    assert not ADA.exists(), "one signature is not enough"
    assert "in force" in consent("sign", "ada", "--key", "mine", "--yes").stdout
    record = require_record("ada")
    assert (record.pairings, record.clips, record.media) == (("ben",), ("ada",), ("film", "television"))
    assert record.evidence.footage is not None, "the clip is there, so it is bound to it"
    require_enrolment("ada", load_params())
    assert not Path("data/consent/drafts/ada.yaml").exists()
    assert "ada: it holds." in consent("check", "ada").stdout


def test_every_question_is_asked_in_words_and_may_be_answered_by_hand(project: Path) -> None:
    make_keys()
    said = [
        "contract-8", "person", "Jane Q", "yes", "", "Example Ltd", "one scene", "source, training", "", "", "",
        "film", "EU", "Irish law", "", "", "allowed", "", "constrained", "films of the studio",
        "", "", "", "", "consent@example.invalid", "contract 8", "contract.pdf", "legal",
    ]  # fmt: skip
    asked = consent("new", "ada", answers="\n".join(said) + "\n")
    assert "Has the person attested to be an adult?" in asked.stdout
    for key in ("ada", "mine"):
        consent("sign", "ada", "--key", key, answers="y\n")
    record = require_record("ada")
    assert (record.roles, record.jurisdiction, record.privacy_notice) == (("source", "training"), "Irish law", None)
    assert record.training_and_mining is not None
    assert record.training_and_mining.model_dump() == {
        "ai_generative_training": "notAllowed",
        "ai_training": "allowed",
        "ai_inference": "notAllowed",
        "data_mining": "constrained",
        "constraints": "films of the studio",
    }
    assert "ai training allowed, data mining constrained, bound to: films of the studio." in asked.stdout


class TestEnrolling:
    """A person's face is enrolled by drafting their record, so that nobody signs one that detection will refuse."""

    @pytest.mark.parametrize(
        ("reference", "where"), [([], "params.yaml, identities.ada.reference"), (["no.png"], "no.png")]
    )
    def test_without_a_picture_nothing_more_is_asked(self, project: Path, reference: list[str], where: str) -> None:
        change_settings(identities={"ada": {"reference": reference}, "ben": {}})
        asked = consent("new", "ada", answers="contract-8\nperson\n", status=BAD_INPUT)
        assert f"error: {where}: " in asked.stderr
        assert "adult" not in asked.stdout
        assert not Path("data/consent/drafts").exists()

    def test_the_settings_may_do_without(self, project: Path) -> None:
        change_settings(identities={"ada": {}, "ben": {}}, detection={"unenrolled": "warn"})
        assert "It commits to no face" in new().stdout

    def test_a_record_that_was_made_without_is_told_by_check_and_mended_by_new(self, project: Path) -> None:
        change_settings(detection={"unenrolled": "warn"}, identities={"ada": {}, "ben": {}})
        make_keys()
        self.make("contract-7")
        assert "ada: it holds." in consent("check", "ada").stdout
        change_settings(detection={})
        told = consent("check", "ada", status=BAD_INPUT).stderr
        assert "evidence.face: the record of 'ada' commits to no face" in told
        assert "identities.ada.reference" in told
        assert "stages.consent new ada" in told
        change_settings(identities={"ada": {"reference": ["face.png"]}, "ben": {}})
        self.make("contract-8")
        assert "ada: it holds." in consent("check", "ada").stdout

    @staticmethod
    def make(record_id: str) -> None:
        new(record_id=record_id)
        for key in ("ada", "mine"):
            consent("sign", "ada", "--key", key, "--yes")


def test_who_does_not_agree_signs_nothing(project: Path) -> None:
    make_keys()
    new()
    consent("sign", "ada", "--key", "ada", answers="n\n", status=1)
    assert yaml.safe_load(Path("data/consent/drafts/ada.yaml").read_text())["signatures"] == {}


def test_an_answer_that_does_not_fit_is_told_by_its_field(project: Path) -> None:
    given = [
        part
        for field, answer in (ANSWERS | {"adult_attestation": "no"}).items()
        for part in ("--set", f"{field}={answer}")
    ]
    done = consent("new", "ada", "--defaults", *given, status=BAD_INPUT)
    assert "adult_attestation" in done.stderr
    assert not Path("data/consent/drafts").exists()


def test_footage_can_not_be_drafted_as_a_rendered_performers(project: Path) -> None:
    told = new(status=BAD_INPUT, kind="synthetic").stderr
    assert "kind: a 'synthetic' record is about performers that are rendered here" in told
    assert "clip 'ada' (ada.mp4) is not" in told
    assert not Path("data/consent/drafts").exists()


def test_a_record_of_version_1_is_carried_over_with_its_answers(project: Path) -> None:
    make_keys()
    about = {"version": 1, "id": "old-1", "identity": "ada", "kind": "person", "adult": True}
    agreed = {"controller": "Example Ltd", "purpose": "an older scene", "roles": ["source"]}
    old = about | agreed | {"given": "2026-01-01", "expires": "2026-12-31"}
    ADA.write_text(yaml.safe_dump(old))
    with pytest.raises(Problem, match=r"(?s)version 1.*stages\.consent new ada"):
        read_consent("ada")
    given = {field: answer for field, answer in ANSWERS.items() if field not in ("purpose", "pii_controllers")}
    consent("new", "ada", "--defaults", *(part for pair in given.items() for part in ("--set", "=".join(pair))))
    assert "version: 1" in ADA.read_text(), "until the new one is signed, the old one lies there"
    for key in ("ada", "mine"):
        consent("sign", "ada", "--key", key, "--yes")
    record = read_consent("ada")
    assert (record.purpose, record.roles, str(record.term.expires)) == ("an older scene", ("source",), "2026-12-31")
    assert record.prior_record_hash == hash_of(old)
    assert yaml.safe_load(Path("data/consent/history/old-1.yaml").read_text()) == old


def test_an_id_of_version_1_that_is_no_name_for_a_file_is_told_shortly(project: Path) -> None:
    make_keys()
    ADA.write_text(yaml.safe_dump({"version": 1, "id": ["old"] * 10_000, "identity": "ada", "kind": "person"}))
    new()
    consent("sign", "ada", "--key", "ada", "--yes")
    told = consent("sign", "ada", "--key", "mine", "--yes", status=BAD_INPUT).stderr
    assert "is no name for a file" in told
    assert len(told) < 400


def test_a_new_record_replaces_the_one_before_when_all_have_signed(project: Path) -> None:
    make_keys()
    new()
    for key in ("ada", "mine"):
        consent("sign", "ada", "--key", key, "--yes")
    first = require_record("ada")
    new(record_id="contract-8", purpose="two scenes")
    assert require_record("ada") == first
    for key in ("mine", "ada"):
        consent("sign", "ada", "--key", key, "--yes")
    second = require_record("ada")
    assert (second.purpose, second.prior_record_hash) == ("two scenes", first.hash)
    kept = Path("data/consent/history/contract-7.yaml")
    ADA.write_text(kept.read_text())
    with pytest.raises(Problem, match=r"history/contract-7\.yaml has the same"):
        require_record("ada")


def test_a_record_whose_id_is_taken_does_not_come_into_force(project: Path) -> None:
    make_keys()
    new()
    for key in ("ada", "mine"):
        consent("sign", "ada", "--key", key, "--yes")
    before = ADA.read_bytes()
    new(purpose="two scenes")  # by the same id
    consent("sign", "ada", "--key", "ada", "--yes")
    told = consent("sign", "ada", "--key", "mine", "--yes", status=BAD_INPUT).stderr
    assert "record_id: data/consent/ada.yaml has the same, 'contract-7'" in told
    assert ADA.read_bytes() == before
    assert not Path("data/consent/history").exists()
    require_record("ada")


def test_an_id_is_offered_that_is_not_taken(project: Path) -> None:
    make_keys()
    given = [
        part for field, answer in ANSWERS.items() if field != "record_id" for part in ("--set", f"{field}={answer}")
    ]
    ids = []
    for _ in range(3):
        consent("new", "ada", "--defaults", *given)
        for key in ("ada", "mine"):
            consent("sign", "ada", "--key", key, "--yes")
        ids.append(require_record("ada").record_id)
    assert ids == [ids[0], f"{ids[0]}-2", f"{ids[0]}-3"]


def test_files_that_are_just_being_written_are_no_records_and_no_keys(project: Path) -> None:
    make_keys()
    new()
    for key in ("ada", "mine"):
        consent("sign", "ada", "--key", key, "--yes")
    for folder in (ADA.parent, ADA.parent / "keys"):
        (folder / ".eve.yaml.1.part.yaml").write_bytes(b"")
        (folder / "._eve.yaml").write_bytes(b"\0\5\x16\7")
    (ADA.parent / ".ada.yaml.1.part.yaml").write_bytes(ADA.read_bytes())
    require_record("ada")
    assert "part" not in consent("list").stdout


@pytest.mark.parametrize("field", ["kind", "evidence.document.kept"])
def test_an_answer_that_says_nothing_is_told_by_its_field(project: Path, field: str) -> None:
    assert field in new(status=BAD_INPUT, **{field: ""}).stderr


def test_a_missing_reference_picture_is_told(project: Path) -> None:
    with pytest.raises(Problem, match="the reference picture is not there") as caught:
        face_commitment([project / "gone.png"], b"secret")
    assert caught.value.where == str(project / "gone.png")


class TestKeys:
    @pytest.mark.parametrize(("name", "holder"), [("ada", ""), ("a/b", "Jane Q"), ("../x", "Jane Q"), ("A", "Jane Q")])
    def test_a_name_that_is_none_leaves_no_half_a_pair(self, project: Path, name: str, holder: str) -> None:
        before = sorted(project.rglob("*"))
        consent("keygen", name, "--holder", holder, "--party", "subject", "--passphrase", "", status=BAD_INPUT)
        assert sorted(project.rglob("*")) == before

    def test_private_halves_are_the_users_alone(self, project: Path) -> None:
        make_keys()
        assert stat.S_IMODE(Path("private/ada.pem").stat().st_mode) == 0o600
        assert b"PRIVATE" not in Path("data/consent/keys/ada.yaml").read_bytes()

    def test_a_passphrase_protects_them(self, project: Path) -> None:
        make_keys("open sesame")
        assert b"ENCRYPTED" in Path("private/ada.pem").read_bytes()
        new()
        wrong = consent("sign", "ada", "--key", "ada", "--yes", "--passphrase", "x", status=BAD_INPUT)
        assert "the passphrase is missing or wrong" in wrong.stderr
        consent("sign", "ada", "--key", "ada", "--yes", answers="open sesame\n")

    def test_others_may_not_read_them(self, project: Path) -> None:
        make_keys()
        new()
        Path("private/ada.pem").chmod(0o644)
        assert "chmod 600" in consent("sign", "ada", "--key", "ada", "--yes", status=BAD_INPUT).stderr

    def test_never_in_a_repository(self, project: Path) -> None:
        Path(".git").mkdir()
        done = consent("keygen", "ada", "--holder", "x", "--party", "subject", "--passphrase", "", status=BAD_INPUT)
        assert "must not lie in a repository" in done.stderr
        assert not Path("private").exists()

    def test_the_key_of_faces_neither(self, project: Path) -> None:
        make_keys()
        Path(".git").mkdir()
        assert "must not lie in a repository" in new(status=BAD_INPUT).stderr
        assert not Path("private/faces.key").exists()
        Path(".git").rmdir()
        new()
        assert len(face_key(private=Path("private")) or b"") == 32
        Path(".git").mkdir()
        with pytest.raises(Problem, match="move it there"):
            face_key(private=Path("private"))

    def test_git_would_not_take_the_key_of_faces(self) -> None:
        for place in ("faces.key", "data/consent/keys/faces.key", "private/faces.key"):
            done = subprocess.run(["git", "check-ignore", "--quiet", place], cwd=REPOSITORY, check=False)
            assert done.returncode == 0, place

    def test_never_replaced(self, project: Path) -> None:
        make_keys()
        before = Path("private/ada.pem").read_bytes()
        consent("keygen", "ada", "--holder", "x", "--party", "subject", "--passphrase", "", status=BAD_INPUT)
        assert Path("private/ada.pem").read_bytes() == before

    def test_of_somebody_else_do_not_sign(self, project: Path) -> None:
        make_keys()
        new()
        consent("keygen", "eve", "--holder", "Eve", "--party", "subject", "--passphrase", "")
        done = consent("sign", "ada", "--key", "eve", "--yes", status=BAD_INPUT)
        assert "whom the record does not name" in done.stderr
        assert "sign as Jane Q" in done.stderr

    def test_the_sample_key_signs_no_person(self, project: Path) -> None:
        make_keys()
        new(pii_controllers="the Likeness project")
        consent("sign", "ada", "--key", "ada", "--yes")
        done = consent("sign", "ada", "--key", "development", "--yes", status=BAD_INPUT)
        assert "can not sign for a person" in done.stderr
        assert not ADA.exists()


@pytest.mark.parametrize("key", ["ada", "mine"])
def test_either_side_withdraws_alone(project: Path, key: str) -> None:
    make_keys()
    new()
    for each in ("ada", "mine"):
        consent("sign", "ada", "--key", each, "--yes")
    told = consent("revoke", "ada", "--key", key, "--reason", " changed my mind ", "--yes").stdout
    for stage in (
        "extraction@ada",
        "alignment@ada",
        "training@ada-ben",
        "encoding@ben-on-ada",
        "evaluation@ada-on-ben",
    ):
        assert f"  {stage}\n" in told
    assert "extraction@ben" not in told
    assert "lies there still" in told, "what it can not reach is said"
    party = {"ada": "subject", "mine": "controller"}[key]
    with pytest.raises(Problem, match=f"withdrawn on .* by the {party}") as caught:
        require_record("ada")
    assert "signature that does not hold" not in str(caught.value)
    assert read_consent("ada").hash in audit.withdrawn()
    before = ADA.read_bytes()
    assert "withdrawn already" in consent("revoke", "ada", "--key", key, "--yes").stdout
    assert ADA.read_bytes() == before
    assert "the consent was withdrawn" in consent("list").stdout


def test_deliverables_are_said_to_be_revoked(project: Path) -> None:
    """Those that rest on the consent as it is now, and on the one that it replaced; no others."""
    make_keys()
    rests = []
    for number in ("contract-7", "contract-8"):
        new(record_id=number)
        for each in ("ada", "mine"):
            consent("sign", "ada", "--key", each, "--yes")
        rests.append(read_consent("ada").hash)
    REGISTRY.mkdir(parents=True)
    for number, sha256 in zip(("a1", "a2", "b1"), (*rests, read_consent("ben").hash), strict=True):
        consents = [{"role": "source", "record_id": "x", "sha256": sha256}]
        entry = {"identifier": number, "status": "active", "lineage": "0" * 64, "consents": consents, "store": ""}
        (REGISTRY / f"{number}.json").write_text(json.dumps(entry))
    assert "2 deliverables are said to be revoked" in consent("revoke", "ada", "--key", "ada", "--yes").stdout
    found = {number: resolve(number) for number in ("a1", "a2", "b1")}
    assert {number: entry.status for number, entry in found.items() if entry is not None} == {
        "a1": "revoked",
        "a2": "revoked",
        "b1": "active",
    }


def test_a_stranger_can_not_withdraw(project: Path) -> None:
    make_keys()
    new()
    for each in ("ada", "mine"):
        consent("sign", "ada", "--key", each, "--yes")
    consent("keygen", "eve", "--holder", "Eve", "--party", "subject", "--passphrase", "")
    before = ADA.read_bytes()
    assert "is not a party" in consent("revoke", "ada", "--key", "eve", "--yes", status=BAD_INPUT).stderr
    assert ADA.read_bytes() == before
    assert audit.withdrawn() == frozenset()


@pytest.mark.parametrize("command", [["check"], ["list"]])
def test_machines_read_how_records_stand(project: Path, command: list[str]) -> None:
    ADA.write_text("a: [")
    change_settings(detection={"unenrolled": "warn"})  # nobody has enrolled ben
    done = CliRunner().invoke(app, [*command, "--json"])
    told: dict[str, Any] = {each["identity"]: each for each in json.loads(done.stdout)}
    assert (told["ben"]["holds"], told["ben"]["record"]["record_id"]) == (True, "ben-1")
    assert (told["ada"]["holds"], told["ada"]["record"]) == (False, None)
    assert told["ada"]["problem"]["what"].startswith("it is no YAML")


def test_what_a_key_has_signed_is_logged(project: Path) -> None:
    make_keys()
    new()
    consent("sign", "ada", "--key", "ada", "--yes")
    entries = [json.loads(line) for line in (audit.FOLDER / audit.LOG).read_text().splitlines()]
    assert [(entry["event"], entry["record_id"], entry["party"]) for entry in entries] == [
        ("signature", "contract-7", "subject")
    ]
