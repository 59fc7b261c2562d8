"""The free detector, as people and programs call it: outside of a project, on files of every kind."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import c2pa
import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from stages.credentials.provenance import Provenance
from stages.credentials.registry import FOLDER as REGISTRY
from stages.credentials.registry import revoke
from stages.credentials.settings import CredentialSettings
from stages.verify.__main__ import app
from stages.verify.findings import Status, look
from stages.verify.telling import as_document, as_text
from stages.video import ffmpeg_program
from stages.watermark import PUBLIC_KEY, Watermark, identifier_of
from tests.authorities import Authority, put
from tests.conftest import write_clip
from tests.credentials.conftest import authority, origin_of, own
from tests.watermark.film import frames, pictures

__all__ = ["authority", "own"]


@pytest.fixture(autouse=True)
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing of a project in it, entered."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verify(*arguments: str | Path) -> Result:
    """As on the command line."""
    return CliRunner().invoke(app, [str(each) for each in arguments])


def document(*arguments: str | Path) -> dict[str, Any]:
    """What it says to machines."""
    told: dict[str, Any] = json.loads(verify(*arguments, "--json").stdout)
    return told


def signed(path: Path, settings: CredentialSettings, mark: str | None = None) -> Provenance:
    write_clip(path)
    provenance = Provenance.of(origin_of("11"), settings)
    provenance.sign(path, mark)
    return provenance


def test_who_trusts_the_authority_is_told_who_made_it_from_what(own: CredentialSettings, authority: Authority) -> None:
    signed(Path("deliverable.mp4"), own)
    put(Path("anchors"), "studio.pem", authority.pem)
    done = verify("deliverable.mp4", "--anchors", "anchors")
    assert done.exit_code == 0
    assert "a valid credential by a signer whom you trust" in done.stdout
    told = document("deliverable.mp4", "--anchors", "anchors")
    assert (told["status"], told["conclusion"], told["fired"]) == (0, "trusted", ["credential"])
    credential = told["credential"]
    assert (credential["valid"], credential["trust"], credential["altered_by_ai"]) == (True, "trusted", True)
    assert credential["signer"]["name"] == "Eve Studio"
    assert credential["made_with"] == ["Likeness 0.1.0"]
    assert [each["relationship"] for each in credential["ingredients"]] == ["parentOf", "inputTo"]
    assert [each["record_id"] for each in credential["consent"]] == ["ada-1", "ben-1"]


def test_without_a_list_nobody_is_trusted(own: CredentialSettings) -> None:
    signed(Path("deliverable.mp4"), own)
    assert verify("deliverable.mp4", "--credential-only").exit_code == 3
    assert document("deliverable.mp4", "--credential-only")["credential"]["trust"] == "unknown"


def test_the_development_certificate_is_called_that(outside: Path) -> None:
    signed(Path("deliverable.mp4"), CredentialSettings())
    done = verify("deliverable.mp4", "--credential-only")
    assert done.exit_code == 3
    assert "signed with the development certificate, with which anybody can sign" in done.stdout
    assert document("deliverable.mp4", "--credential-only")["credential"]["development"] is True


def test_an_unmarked_file_is_told_as_such() -> None:
    write_clip(Path("clip.mp4"))
    done = verify("clip.mp4")
    assert (done.exit_code, document("clip.mp4")["fired"]) == (1, [])
    assert "nothing is known of this file" in done.stdout


def test_plain_metadata_is_told_and_not_believed() -> None:
    write_clip(Path("clip.mp4"))
    command = [ffmpeg_program(), "-v", "error", "-i", "clip.mp4", "-c", "copy", "-metadata", 'AIGC={"Label":"1"}']
    subprocess.run([*command, "-movflags", "use_metadata_tags", "told.mp4"], check=True)
    assert verify("told.mp4", "--credential-only").exit_code == 7
    told = document("told.mp4", "--credential-only")
    assert (told["fired"], told["declared"]) == (["metadata"], {"AIGC": '{"Label":"1"}'})


def test_the_credential_of_another_tool_is_read() -> None:
    """A picture, signed by a camera's maker."""
    cv2.imwrite("photo.jpg", np.full((48, 64, 3), 120, np.uint8))
    maker, key = Authority.make("a camera's maker"), ed25519.Ed25519PrivateKey.generate()
    definition = {
        "claim_generator_info": [{"name": "Camera", "version": "2.1"}],
        "title": "photo.jpg",
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
                        }
                    ]
                },
            }
        ],
    }
    signer = c2pa.Signer.from_callback(key.sign, c2pa.C2paSigningAlg.ED25519, maker.issue(key, "Camera 7").decode())
    with c2pa.Builder.from_json(json.dumps(definition)) as builder:
        builder.sign_file("photo.jpg", "signed.jpg", signer)
    put(Path("anchors"), "maker.pem", maker.pem)
    assert verify("signed.jpg", "--credential-only", "--anchors", "anchors").exit_code == 0
    told = document("signed.jpg", "--credential-only", "--anchors", "anchors")["credential"]
    assert (told["signer"]["name"], told["made_with"], told["altered_by_ai"]) == ("Camera 7", ["Camera 2.1"], False)
    assert (told["consent"], told["lineage"]) == (None, None)


@pytest.mark.parametrize("fault", ["no such file", "folder of something", "bad anchors"])
def test_what_can_not_be_looked_at_has_a_status_of_its_own(fault: str) -> None:
    write_clip(Path("clip.mp4"))
    Path("folder").mkdir()
    put(Path("bad"), "root.pem", b"nothing")
    arguments = {
        "no such file": ["nowhere.mp4"],
        "folder of something": ["folder"],
        "bad anchors": ["clip.mp4", "--anchors", "bad"],
    }[fault]
    done = verify(*arguments)
    assert done.exit_code == 2
    assert "mend:" in done.stderr
    assert set(document(*arguments)) == {"file", "error", "mend"}


MARKED = identifier_of(PUBLIC_KEY, "a deliverable")
NUMBER = f"{MARKED:012x}"


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film, each frame marked."""
    path, mark = tmp_path_factory.mktemp("marked") / "marked.mp4", Watermark(PUBLIC_KEY, MARKED)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "17", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        for frame in frames(pictures(count=25), "yuv420p"):
            mark.embed(frame.picture)
            frame.picture.pts, frame.picture.time_base = frame.pts, Fraction(1, 25)
            container.mux(stream.encode(frame.picture))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def delivered(marked: Path, own: CredentialSettings, outside: Path) -> Path:
    """A file that is marked, signed and entered, here in its own project's folder."""
    path = Path(shutil.copy(marked, "deliverable.mp4"))
    provenance = Provenance.of(origin_of("11"), own)
    provenance.sign(path, NUMBER)
    provenance.register()
    return path


def test_both_are_found(delivered: Path, authority: Authority) -> None:
    put(Path("anchors"), "studio.pem", authority.pem)
    done = verify(delivered, "--anchors", "anchors")
    assert done.exit_code == 0
    told = document(delivered, "--anchors", "anchors")
    assert told["fired"] == ["credential", "mark", "registry"]
    [found] = told["mark"]["found"]
    assert found["identifier"] == NUMBER
    assert found["confidence"] > 1 - 1e-6
    assert [each["status"] for each in told["registry"]] == ["active"]


def test_a_mark_leads_back_to_the_credential_that_was_stripped(delivered: Path, authority: Authority) -> None:
    put(Path("anchors"), "studio.pem", authority.pem)
    command = [ffmpeg_program(), "-v", "error", "-i", str(delivered), "-map_metadata", "-1"]
    subprocess.run([*command, "-c:v", "libx264", "-crf", "23", "stripped.mp4"], check=True)
    told = document("stripped.mp4", "--anchors", "anchors")
    assert (told["status"], told["conclusion"], told["credential"]) == (5, "mark-only", None)
    kept = told["kept_credential"]
    assert (kept["where"], kept["valid"], kept["trust"]) == ("registry", False, "trusted")
    assert [each["code"] for each in kept["failures"]] == ["assertion.bmffHash.mismatch"]
    assert [each["record_id"] for each in kept["consent"]] == ["ada-1", "ben-1"]


def test_elsewhere_the_mark_still_says_that_it_was_made_here(marked: Path) -> None:
    done = verify(marked)
    assert done.exit_code == 5
    assert f"registry: {NUMBER} is unknown here" in done.stdout


def test_a_withdrawn_consent_shows_in_every_copy(delivered: Path, marked: Path) -> None:
    assert revoke(origin_of("11").consents["target"].hash, date(2026, 12, 1)) == [NUMBER]
    for arguments in ([delivered], [marked], [delivered, "--credential-only"], [delivered, "--watermark-key", "other"]):
        put(Path(), "other", b"another key than the public one")
        done = verify(*arguments)
        assert done.exit_code == 6
        assert "must not be shown any more" in done.stdout
        assert f"registry: {NUMBER} is revoked since 2026-12-01" in done.stdout


def test_a_credential_that_the_registry_keeps_must_be_of_its_number(
    delivered: Path, marked: Path, own: CredentialSettings
) -> None:
    provenance = Provenance.of(origin_of("55"), own)
    write_clip(Path("other.mp4"))
    provenance.sign(Path("other.mp4"), "ba9876543210")
    provenance.register()
    mine, others = (REGISTRY / f"{number}.json" for number in (NUMBER, "ba9876543210"))
    store = json.loads(others.read_text())["store"]
    mine.write_text(json.dumps(json.loads(mine.read_text()) | {"store": store}))
    done = verify(marked)
    assert done.exit_code == 2
    assert "another deliverable's" in done.stderr


@pytest.mark.parametrize("option", ["--registry", "--anchors"])
def test_a_folder_that_was_named_and_is_not_there_is_told(delivered: Path, option: str) -> None:
    done = verify(delivered, option, "nowhere")
    assert done.exit_code == 2
    assert "no such folder" in done.stderr


def test_pictures_that_lost_their_list_still_hold_the_mark(marked: Path) -> None:
    Path("pictures").mkdir()
    subprocess.run([ffmpeg_program(), "-v", "error", "-i", str(marked), "pictures/%06d.png"], check=True)
    done = verify("pictures")
    assert done.exit_code == 5
    assert f"mark: {NUMBER}" in done.stdout
    for path in Path("pictures").glob("*.png"):
        path.unlink()
    assert verify("pictures").exit_code == 2


@given(content=st.binary(max_size=400), ending=st.sampled_from([".mp4", ".mov", ".png", ".mkv", ".c2pa", ""]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_is_a_finding(outside: Path, content: bytes, ending: str) -> None:
    path = outside / f"ends in {ending}" / f"junk{ending}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    assert look(path, b"", outside).status is Status.NOTHING


@given(at=st.integers(0, 10**6), junk=st.binary(min_size=1, max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_credential_full_of_junk_is_no_crash(outside: Path, own: CredentialSettings, at: int, junk: bytes) -> None:
    if not Path("a.mp4").exists():
        signed(Path("a.mp4"), own)
    content = Path("a.mp4").read_bytes()
    place = at % 16000
    Path("b.mp4").write_bytes(content[:place] + junk + content[place + len(junk) :])
    found = look(Path("b.mp4"), b"", outside, None)
    assert found.status in (Status.INVALID, Status.NOTHING, Status.UNPROVEN)
    assert as_text(found)
    assert json.dumps(as_document(found))


def test_a_strangers_words_do_not_write_over_the_terminal(own: CredentialSettings) -> None:
    path = Path("a.mp4")
    write_clip(path)
    origin = origin_of("11")
    evil = type(origin)(**(vars(origin) | {"clip_title": "\x1b[2Jtrusted.mov"}))
    Provenance.of(evil, own).sign(path)
    assert "\x1b" not in verify(path, "--credential-only").stdout


def test_the_registry_lies_in_the_project_by_default() -> None:
    assert Path("data/registry") == REGISTRY
