"""Each way in which a record can be wrong stops the stages that it is about, says the mend, leaves nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from stages.admission.stage import run as admission
from stages.alignment.stage import run as alignment
from stages.audit import log as audit
from stages.check import problems_of
from stages.companions.stage import run as companions
from stages.compositing.layers import deliver
from stages.compositing.stage import run as compositing
from stages.consent import Use, require_use
from stages.consent.evidence import face_commitment
from stages.consent.filing import write_record
from stages.consent.keys import DEVELOPMENT, FACE_KEY, PRIVATE_KEYS, private_key
from stages.consent.merkle import footage_root
from stages.consent.reading import read_consent
from stages.consent.record import Consent
from stages.consent.signing import agreement_payload
from stages.consent.withdrawal import stages_with, withdraw
from stages.conversion.stage import run as conversion
from stages.dataset.stage import run as dataset
from stages.detection.stage import run as detection
from stages.encoding.stage import run as encoding
from stages.evaluation.stage import run as evaluation
from stages.extraction.stage import run as extraction
from stages.problems import Problem
from stages.screening.stage import run as screening
from stages.settings import Clip, Identity, Params, parse
from stages.training.stage import Task
from stages.training.stage import run as training
from tests.conftest import REPOSITORY
from tests.records import SIGNED, STUDIO, content, public, put_record, secret, signed, trust

FOLDER: Final = Path("data/consent")
ADA: Final = FOLDER / "ada.yaml"


def layers(name: str, params: Params) -> None:
    deliver(name, params, Path("data/layers") / name)


Stage = tuple[Callable[[str, Params], None], str]
OF_CLIPS: Final = (admission, extraction, screening, detection, alignment, dataset)
CLIP: Final[tuple[Stage, ...]] = tuple((run, "ada") for run in OF_CLIPS)
PAIR: Final[tuple[Stage, ...]] = ((training, "ada-ben"),)
OF_SWAPS: Final = (conversion, compositing, encoding, evaluation, layers)
SOURCE: Final[tuple[Stage, ...]] = tuple((run, "ada-on-ben") for run in OF_SWAPS)
TARGET: Final[tuple[Stage, ...]] = tuple((run, "ben-on-ada") for run in OF_SWAPS)
ALL: Final = (*CLIP, *PAIR, *SOURCE, *TARGET)


@pytest.fixture
def params(workplace: Path) -> Params:
    """The shipped settings with footage that nobody has rendered; both records hold, of faces that nobody enrolled."""
    raw = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    raw["detection"] = {"unenrolled": "warn"}
    Path("data/footage").mkdir(parents=True)
    for name in ("ada", "ben"):
        raw["clips"][name]["path"] = f"data/footage/{name}.mp4"
        Path(raw["clips"][name]["path"]).write_bytes(f"frames of {name}".encode())
    return parse(Params, raw, where="params.yaml")


def with_clips(params: Params, **paths: Path) -> Params:
    """The settings with other clips of ada's, and ben's as it is."""
    clips = {name: Clip(identity="ada", path=path) for name, path in paths.items()}
    return params.model_copy(update={"clips": clips | {"ben": params.clips["ben"]}})


def edited(old: str, new: str) -> Callable[[], None]:
    """Change the text of ada's record, leave its signatures."""

    def change() -> None:
        text = ADA.read_text()
        assert old in text
        ADA.write_text(text.replace(old, new, 1))

    return change


def put(**changes: Any) -> Callable[[], object]:
    """Another record of ada's, duly signed."""
    return lambda: put_record(FOLDER, "ada", **changes)


def raw_edit(**changes: Any) -> Callable[[], None]:
    """Change fields of ada's record, whatever the model says to it."""

    def change() -> None:
        said = yaml.safe_load(ADA.read_text()) | changes
        ADA.write_text(yaml.safe_dump({key: value for key, value in said.items() if value is not None}))

    return change


def unsigned_by(party: str) -> Callable[[], None]:
    def change() -> None:
        said = yaml.safe_load(ADA.read_text())
        del said["signatures"][party]
        ADA.write_text(yaml.safe_dump(said))

    return change


def version_1() -> None:
    ADA.write_text(yaml.safe_dump({"version": 1, "id": "old", "identity": "ada", "kind": "person", "adult": True}))


def flipped_bit() -> None:
    said = yaml.safe_load(ADA.read_text())
    value = bytearray.fromhex(said["signatures"]["subject"]["value"])
    value[20] ^= 1
    said["signatures"]["subject"]["value"] = value.hex()
    ADA.write_text(yaml.safe_dump(said))


def redated() -> None:
    said = yaml.safe_load(ADA.read_text())
    said["signatures"]["subject"]["signed"] = "2020-01-02"
    ADA.write_text(yaml.safe_dump(said))


def exchanged_signatures() -> None:
    said = yaml.safe_load(ADA.read_text())
    both = said["signatures"]
    both["subject"], both["controller"] = both["controller"], both["subject"]
    ADA.write_text(yaml.safe_dump(said))


def key_not_trusted() -> None:
    (FOLDER / "keys/ada.yaml").unlink()


def key_of_another() -> None:
    """Ben's key under ada's record: trusted here, but not hers."""
    trust(FOLDER, "ben", "performer ben", "subject")
    put_record(FOLDER, "ada", signers={"subject": "ben", "controller": "studio"})


def one_key_for_both() -> None:
    put_record(FOLDER, "ada", signers={"subject": "studio", "controller": "studio"})
    trust(FOLDER, "studio-too", STUDIO, "controller")
    (FOLDER / "keys/studio.yaml").unlink()
    trust(FOLDER, "studio", "performer ada", "subject")
    # one file names the key as the subject's, the other as the controller's


def sample_key(kind: str) -> Callable[[], None]:
    """Signed with the key that everybody has."""

    def change() -> None:
        key = private_key(DEVELOPMENT)
        held = {"pii_controllers": ["the Likeness project"], "kind": kind}
        record = Consent.model_validate(content("ada", **held))
        other = signed(record, {"subject": "ada"}).signatures
        fingerprint = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()
        value = key.sign(agreement_payload(record, "controller", fingerprint, SIGNED)).hex()
        made = {**other, "controller": {"key": fingerprint, "signed": SIGNED, "value": value}}
        write_record(ADA, Consent.model_validate(record.model_dump() | {"signatures": made}))

    return change


def withdrawn() -> None:
    withdraw("ada", secret("ada"), public("ada", "performer ada", "subject"), day=SIGNED)


def withdrawn_and_put_back() -> None:
    kept = ADA.read_text()
    withdrawn()
    ADA.write_text(kept)


def withdrawal_edited_out() -> None:
    withdrawn()
    edited("status: revoked", "status: active")()


def superseded() -> None:
    after = content("ada", record_id="ada-2", prior_record_hash=read_consent("ada").hash)
    write_record(FOLDER / "history/ada-2.yaml", signed(Consent.model_validate(after)))


def id_taken() -> None:
    put_record(FOLDER, "eve", record_id="ada-1")


def prior_record_altered() -> None:
    before = read_consent("ada")
    write_record(FOLDER / "history/ada-1.yaml", before.model_copy(update={"purpose": "another one"}))
    put_record(FOLDER, "ada", record_id="ada-2", prior_record_hash=before.hash)


def document(write: Callable[[Path], object]) -> Callable[[], None]:
    """The signed document lies here, then something happens to it."""

    def change() -> None:
        path = Path("contract.pdf")
        path.write_bytes(b"I agree")
        told = {"sha256": hashlib.sha256(b"I agree").hexdigest(), "kept": "here", "path": "contract.pdf"}
        put_record(FOLDER, "ada", evidence={"document": told})
        write(path)

    return change


def footage(clips: dict[str, bytes], root: str | None = None) -> dict[str, Any]:
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in clips.items()}
    told = {"merkle_root": root or footage_root(hashes), "clips": hashes}
    return content("ada")["evidence"] | {"footage": told}


def bound_to_footage(clips: dict[str, bytes]) -> Callable[[], object]:
    return lambda: put_record(FOLDER, "ada", evidence=footage(clips))


def damaged_root() -> None:
    raw_edit(evidence=footage({"ada": b"x"}, root="ab" * 32))()


WAYS: Final[dict[str, tuple[Callable[[], object], tuple[Stage, ...], str, str]]] = {
    # what happens to ada's record: what is told of it, where it stops, how to mend it
    "no record": (ADA.unlink, ALL, "there is no consent record for 'ada'", "stages.consent new ada"),
    "no YAML": (lambda: ADA.write_text("a: [1,"), ALL, "it is no YAML", "take the file from git again"),
    "no record in it": (lambda: ADA.write_text("- 1\n"), ALL, "it holds no record", "docs/consent.md"),
    "a field twice": (edited("status: active", "status: active\nstatus: revoked"), ALL, "it is no YAML", "mend that"),
    "version 1": (version_1, ALL, "it is of version 1", "stages.consent new ada"),
    "a version from later": (raw_edit(schema_version=3), ALL, "schema_version: 3 is not known", "update the project"),
    "a misspelt field": (edited("media:", "medium:"), ALL, "unknown key 'medium'", "did you mean 'media'"),
    "a missing field": (raw_edit(purpose=None), ALL, "this key is missing", "docs/consent.md"),
    "somebody else's": (edited("identity: ada", "identity: adam"), ALL, "identity: it is about 'adam'", "adam.yaml"),
    "not adult": (edited("adult_attestation: true", "adult_attestation: false"), ALL, "Input should be True", ""),
    "nothing prohibited": (raw_edit(prohibited_content=["minors"]), ALL, "prohibited_content must have", "correct"),
    "an end before its beginning": (raw_edit(term={"given": "2021-01-01", "expires": "2020-01-01"}), ALL, "it expires",
                                    "correct the value"),
    "a person's without an end": (raw_edit(term={"given": "2021-01-01"}), ALL, "term.expires is missing", "correct"),
    "no evidence": (raw_edit(evidence={}), ALL, "evidence.document is missing", "correct"),
    "document missing": (document(Path.unlink), ALL, "evidence.document: 'contract.pdf' is not there", "put the"),
    "document altered": (document(lambda path: path.write_bytes(b"I agre")), ALL,
                         "evidence.document: 'contract.pdf' is not the document", "put the original back"),
    "expired": (put(term={"given": "2020-01-01", "expires": "2020-12-31"}), ALL, "term.expires: it ended", "new ada"),
    "not yet given": (put(term={"given": "2998-01-01", "expires": "2999-01-01"}), ALL, "term.given: it starts", "wait"),
    "kept too long": (put(term={"given": "2020-01-01", "expires": "2020-12-31"},
                          retention_period={"destroy_by": "2021-12-31", "schedule": "all"}), ALL,
                      "retention_period.destroy_by: all that shows", "remove footage"),
    "destroyed before it ends": (raw_edit(retention_period={"destroy_by": "2021-12-31", "schedule": "all"}), ALL,
                                 "retention_period.destroy_by lies before", "correct the value"),
    "revoked by hand": (edited("status: active", "status: revoked"), ALL, "status: the consent was withdrawn", "take"),
    "withdrawn": (withdrawn, ALL, "status: the consent was withdrawn on 2020-01-01 by the subject", "params.yaml"),
    "an older copy put back": (withdrawn_and_put_back, ALL, "status: the audit log says", "from git again"),
    "withdrawal edited out": (withdrawal_edited_out, ALL, "status is 'active', but there is a withdrawal", "correct"),
    "not signed by the person": (unsigned_by("subject"), ALL, "signatures: the subject has not signed", "sign ada"),
    "not signed by the studio": (unsigned_by("controller"), ALL, "signatures: the controller has not", "sign ada"),
    "altered by one byte": (edited("purpose: tests", "purpose: testt"), ALL, "signatures.subject: the record is not",
                            "git log"),
    "signature altered": (flipped_bit, ALL, "signatures.subject: the record is not what was signed", "git log"),
    "signature dated otherwise": (redated, ALL,
                                  "signatures.subject: the record is not what was signed", "git log"),
    "signatures exchanged": (exchanged_signatures, ALL, "signatures.subject: it is by the key 'studio'", "their own"),
    "a key that is not trusted": (key_not_trusted, ALL, "signatures.subject: it is by a key that is", "public half"),
    "another's key": (key_of_another, ALL, "signatures.subject: it is by the key 'ben'", "their own key"),
    "one key for both": (one_key_for_both, ALL, "signatures.", "their own"),
    "the sample key for a person": (sample_key("person"), ALL, "signatures.controller: the key for samples, which",
                                    "keygen"),
    "the sample key for footage": (sample_key("synthetic"), ALL, "kind: a 'synthetic' record is about",
                                   "kind 'person'"),
    "a person called synthetic": (put(kind="synthetic", signers={"controller": "studio"}), ALL,
                                  "kind: a 'synthetic' record is about performers that are rendered here, and clip "
                                  "'ada' (data/footage/ada.mp4) is not", "new ada"),
    "a damaged key": (lambda: (FOLDER / "keys/ada.yaml").write_text("holder: ada\n"), ALL, "this key is missing",
                      "docs/consent.md"),
    "superseded": (superseded, ALL, "it was superseded by the record 'ada-2'", "put data/consent/history/ada-2.yaml"),
    "an id twice": (id_taken, ALL, "record_id: data/consent/eve.yaml has the same", "an id of its own"),
    "the record before altered": (prior_record_altered, ALL, "prior_record_hash: the record that this one", "from git"),
    "no role in training": (put(roles=["source", "target"]), (*CLIP, *PAIR), "roles: it does not allow 'training'",
                            "new ada"),
    "no source": (put(roles=["training", "target"]), SOURCE, "roles: it does not allow 'source'", "new ada"),
    "no target": (put(roles=["training", "source"]), TARGET, "roles: it does not allow 'target'", "new ada"),
    "another pairing": (put(pairings=["eve"]), (*PAIR, *SOURCE, *TARGET), "pairings: it does not allow 'ben', only eve",
                        "new ada"),
    "another clip": (put(clips=["adda"]), (*CLIP, *PAIR, *TARGET), "clips: it does not cover the clip 'ada'",
                     "did you mean 'adda'"),
    "other footage": (bound_to_footage({"ada": b"other frames"}), ((extraction, "ada"),),
                      "evidence.footage: clip 'ada' (data/footage/ada.mp4) is not the footage", "agreed file back"),
    "footage not covered": (bound_to_footage({"ada-2": b"frames of ada"}), ((extraction, "ada"),),
                            "evidence.footage: clip 'ada' is not part", "new ada"),
    "a Merkle root of other clips": (damaged_root, ALL, "merkle_root is not that of the clips", "correct"),
}  # fmt: skip

SCOPED: Final = tuple(way for way, (_, stages, _, _) in WAYS.items() if stages != ALL)


def no_face_sets(task: Task) -> None:
    raise Problem("there is no face set", where=task.result, mend="")


def files() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "audit" not in path.parts}


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_record_stops_the_stages_that_it_is_about(params: Params, way: str) -> None:
    spoil, stages, what, mend = WAYS[way]
    spoil()
    before = files()
    for run, name in stages:
        with pytest.raises(Problem) as caught:
            run(name, params)
        assert caught.value.what.startswith(what), run
        assert mend in caught.value.mend
        assert caught.value.where.startswith("data/consent/")
    assert files() == before
    assert audit.verify().lines >= len(stages), "each refusal is in the log"


@pytest.mark.parametrize("way", SCOPED)
def test_what_a_record_forbids_stops_no_other_stage(params: Params, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil, stages, what, _ = WAYS[way]
    spoil()
    monkeypatch.setattr("stages.training.stage.train_pair", no_face_sets)
    for run, name in ALL:
        if (run, name) in stages or run is admission:
            continue
        with pytest.raises(Problem) as caught:  # there are no artifacts
            run(name, params)
        assert not caught.value.what.startswith(what.split(":")[0]), (run, name)


def test_records_that_hold_stop_nothing(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.training.stage.train_pair", no_face_sets)
    admission("ada", params)
    for run, name in ALL[1:]:
        with pytest.raises(Problem) as caught:  # the next thing that is missing
            run(name, params)
        assert "consent" not in caught.value.where


class TestARenderedPerformer:
    """Who is nobody needs the controller's signature alone, so every clip must be one that the project renders."""

    RENDERED: Final = Path("data/performances/ada/clip.mp4")

    @pytest.fixture
    def rendered(self, params: Params) -> Params:
        """Ada is synthetic by the studio's own key, and her clip is a rendering."""
        put_record(FOLDER, "ada", kind="synthetic", signers={"controller": "studio"})
        return with_clips(params, ada=self.RENDERED)

    def test_is_let_in_by_a_key_of_ones_own(self, rendered: Params) -> None:
        record = require_use("ada", Use("training", clips=("ada",)), rendered)
        assert record.kind == "synthetic"

    def test_is_not_put_on_while_a_further_clip_of_theirs_is_footage(self, rendered: Params) -> None:
        more = with_clips(rendered, ada=self.RENDERED, extra=Path("data/footage/ada.mp4"))
        with pytest.raises(Problem, match=r"clip 'extra' \(data/footage/ada\.mp4\) is not"):
            require_use("ada", Use("source"), more)

    def test_has_no_clips_that_params_yaml_does_not_know(self, rendered: Params) -> None:
        put_record(FOLDER, "ada", kind="synthetic", signers={"controller": "studio"}, clips=["ada", "gone"])
        with pytest.raises(Problem, match=r"clip 'gone' is none of params\.yaml"):
            require_use("ada", Use("training", clips=("ada", "gone")), rendered)

    def test_is_not_one_by_the_name_of_the_folder_alone(self, rendered: Params) -> None:
        """A file beside the renderings, of no performance that params.yaml lists, may be anything."""
        for path in ("data/performances/eve/clip.mp4", "data/performances/ada/take.mp4"):
            with pytest.raises(Problem, match="kind: a 'synthetic' record"):
                require_use("ada", Use("training", clips=("ada",)), with_clips(rendered, ada=Path(path)))


def test_the_last_day_still_counts(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    today = SIGNED.today().isoformat()
    put_record(
        FOLDER,
        "ada",
        term={"given": today, "expires": today},
        retention_period={"destroy_by": today, "schedule": "all"},
    )
    admission("ada", params)


def test_agreed_footage_comes_in(params: Params) -> None:
    bound_to_footage({"ada": b"frames of ada", "ada-2": b"more"})()
    with pytest.raises(Problem, match="it can not be read as video"):
        extraction("ada", params)


def test_footage_that_is_not_there_is_told_with_its_mend(params: Params) -> None:
    bound_to_footage({"ada": b"frames of ada"})()
    params.clips["ada"].path.unlink()
    with pytest.raises(Problem, match="the clip is not there") as caught:
        extraction("ada", params)
    assert caught.value.where == "data/footage/ada.mp4"
    assert "correct its path" in caught.value.mend


def test_training_asks_for_the_record_as_it_is_by_then(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks: list[Task] = []
    monkeypatch.setattr("stages.training.stage.train_pair", tasks.append)
    training("ada-ben", params)
    [task] = tasks
    task.still_allowed()
    withdrawn()
    with pytest.raises(Problem, match="withdrawn"):
        task.still_allowed()


def test_footage_that_was_not_agreed_on_is_not_opened(params: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("stages.extraction.stage.open_footage", lambda path, *_: opened.append(path))
    bound_to_footage({"ada": b"other frames"})()
    with pytest.raises(Problem, match="is not the footage that was agreed on"):
        extraction("ada", params)
    assert not opened


class TestTheEnrolledFace:
    """Detection tells the person by reference pictures; they must be those that were enrolled."""

    SECRET: Final = bytes(32)
    PICTURE: Final = Path("ada.png")

    @pytest.fixture
    def strict(self, params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
        """Settings as they are shipped, a picture of ada's, a key of faces; no record names the face."""
        self.PICTURE.write_bytes(b"ada's face")
        (tmp_path / "private").mkdir()
        (tmp_path / "private" / FACE_KEY).write_text(self.SECRET.hex())
        monkeypatch.setenv(PRIVATE_KEYS, str(tmp_path / "private"))
        raw = params.model_dump()
        raw["identities"]["ada"]["reference"] = [self.PICTURE]
        raw["detection"] = {}
        return parse(Params, raw, where="params.yaml")

    @pytest.fixture
    def enrolled(self, strict: Params) -> Params:
        """And with a record that does."""
        told = face_commitment([self.PICTURE], self.SECRET).model_dump()
        put_record(FOLDER, "ada", evidence=content("ada")["evidence"] | {"face": told})
        return strict

    @staticmethod
    def refused(params: Params) -> Problem:
        """What detection and `make check` say, each in the same words; nothing is left behind."""
        before = files()
        with pytest.raises(Problem) as caught:
            detection("ada", params)
        assert files() == before
        assert str(caught.value) in map(str, problems_of(params))
        return caught.value

    @staticmethod
    def warning(params: Params) -> Params:
        return params.model_copy(update={"detection": params.detection.model_copy(update={"unenrolled": "warn"})})

    def test_of_another_stops_detection(self, enrolled: Params) -> None:
        self.PICTURE.write_bytes(b"eve's face")
        told = self.refused(enrolled)
        assert told.what == "evidence.face: the reference pictures of 'ada' are not those that were enrolled"

    def test_of_another_stops_it_even_if_those_who_are_not_enrolled_are_let_in(self, enrolled: Params) -> None:
        self.PICTURE.write_bytes(b"eve's face")
        self.refused(self.warning(enrolled))

    def test_itself_does_not(self, enrolled: Params) -> None:
        with pytest.raises(Problem, match="dvc repro"):
            detection("ada", enrolled)
        assert not [each for each in problems_of(enrolled) if each.where == str(ADA)]

    def test_is_not_told_by_the_commitment_without_its_key(self, enrolled: Params) -> None:
        plain = hashlib.sha256(self.PICTURE.read_bytes()).hexdigest()
        assert plain not in ADA.read_text()
        told = face_commitment([self.PICTURE], b"\1" * 32)
        assert told.hmac_sha256 not in ADA.read_text()

    def test_that_the_record_does_not_name_stops_detection(self, strict: Params) -> None:
        told = self.refused(strict)
        assert told.what == "evidence.face: the record of 'ada' commits to no face, so anybody's would pass for theirs"
        assert told.mend.startswith("`python -m stages.consent new ada` enrols the face")
        assert "detection.unenrolled to warn" in told.mend

    def test_that_no_picture_shows_stops_detection(self, strict: Params) -> None:
        bare = strict.model_copy(update={"identities": strict.identities | {"ada": Identity()}})
        assert self.refused(bare).mend.startswith(
            "name pictures of the face at identities.ada.reference of params.yaml; `python -m stages.consent new ada`"
        )

    @pytest.mark.parametrize("key", [None, "11" * 32])
    def test_that_can_not_be_checked_here_stops_detection(
        self, enrolled: Params, tmp_path: Path, key: str | None
    ) -> None:
        place = tmp_path / "private" / FACE_KEY
        place.unlink() if key is None else place.write_text(key)
        told = self.refused(enrolled)
        assert told.what == "evidence.face: the key of this commitment is not on this machine"
        assert f"copy faces.key from the machine where the face was enrolled into {tmp_path / 'private'}" in told.mend

    def test_is_only_warned_of_where_the_settings_say_so(
        self, strict: Params, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(Problem, match="dvc repro"):
            detection("ada", self.warning(strict))
        assert "commits to no face, so anybody's would pass for theirs; it was not checked" in caplog.text

    def test_is_said_to_be_unchecked_without_its_key(
        self, enrolled: Params, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "private" / FACE_KEY).unlink()
        with pytest.raises(Problem, match="dvc repro"):
            detection("ada", self.warning(enrolled))
        assert "the key of this commitment is not on this machine; it was not checked" in caplog.text

    def test_is_nobodys_of_a_rendered_performer(self, strict: Params) -> None:
        put_record(FOLDER, "ada", kind="synthetic", signers={"controller": "studio"})
        rendered = with_clips(strict, ada=Path("data/performances/ada/clip.mp4"))
        with pytest.raises(Problem, match="dvc repro"):
            detection("ada", rendered)


class TestACompanion:
    """Who only teaches a pair's encoder is asked as well: for training, with each of the two."""

    COMPANION: Final[tuple[Stage, ...]] = ((companions, "cyd-in-ada-ben"),)

    @pytest.fixture
    def joined(self, params: Params) -> Params:
        """Settings with cyd as a companion, whose record allows training alone."""
        put_record(FOLDER, "cyd", roles=["training"])
        raw = params.model_dump()
        raw["identities"]["cyd"] = {}
        raw["companions"] = {"cyd-in-ada-ben": {"pair": "ada-ben", "identity": "cyd"}}
        return parse(Params, raw, where="params.yaml")

    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"pairings": ["ada"]}, "pairings: it does not allow 'ben', only ada"),
            ({"roles": ["source"]}, "roles: it does not allow 'training', only source"),
            ({"term": {"given": "2020-01-01", "expires": "2020-12-31"}}, "term.expires: it ended on 2020-12-31"),
        ],
    )
    def test_that_does_not_agree_stops_its_pair(self, joined: Params, changes: dict[str, Any], what: str) -> None:
        put_record(FOLDER, "cyd", **{"roles": ["training"], **changes})
        before = files()
        for run, name in (*self.COMPANION, *PAIR, *SOURCE, *TARGET):
            with pytest.raises(Problem) as caught:
                run(name, joined)
            assert (caught.value.what, caught.value.where) == (what, "data/consent/cyd.yaml"), run
        assert files() == before
        assert ("data/consent/cyd.yaml", what) in [(each.where, each.what) for each in problems_of(joined)]

    def test_that_another_does_not_agree_with_stops_training(self, joined: Params) -> None:
        put_record(FOLDER, "ada", pairings=["ben"])
        with pytest.raises(Problem, match="pairings: it does not allow 'cyd', only ben"):
            training("ada-ben", joined)

    def test_with_a_clip_that_it_does_not_name_stops_training(self, joined: Params) -> None:
        (Path("data/dataset/cyd/cyd-2")).mkdir(parents=True)
        Path("data/dataset/cyd/cyd-2/index.parquet").touch()
        with pytest.raises(Problem, match="clips: it does not cover the clip 'cyd-2'"):
            training("ada-ben", joined)

    def test_that_agrees_stops_nothing(self, joined: Params) -> None:
        for run, name in (*self.COMPANION, *PAIR, *SOURCE, *TARGET):
            with pytest.raises(Problem) as caught:  # the next thing that is missing
                run(name, joined)
            assert "consent" not in caught.value.where
        assert all("consent" not in problem.where for problem in problems_of(joined))

    def test_is_told_with_what_its_withdrawal_stops(self, joined: Params) -> None:
        first, second, *swaps = stages_with("cyd", joined, REPOSITORY / "dvc.yaml")
        assert (first, second) == ("companions@cyd-in-ada-ben", "training@ada-ben")
        assert {"conversion@ada-on-ben", "encoding@ben-on-ada"} <= set(swaps)
