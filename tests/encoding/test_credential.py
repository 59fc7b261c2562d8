"""The stage delivers what is signed, marked, read back and entered, or nothing."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import av
import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from stages.artifacts.converted import CONVERTED, Converted
from stages.artifacts.deliverable import Deliverable
from stages.artifacts.frames import FrameWriter
from stages.credentials import provenance
from stages.credentials.manifest import COMPOSITE
from stages.credentials.reading import read_credential
from stages.credentials.registry import resolve
from stages.credentials.settings import CredentialSettings, SignerSettings
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import run
from stages.problems import Problem
from stages.settings import Params, load_params
from stages.verify.findings import Status, look
from stages.video import VideoFacts
from tests.authorities import Authority, pem_of, put
from tests.models import NETWORK, put_model
from tests.watermark.film import frames, pictures

SWAP = "ada-on-ben"
PLACE = Path("data/encoding") / SWAP


@pytest.fixture
def ready(workplace: Path) -> Path:
    """A project in which all is done but the encoding."""
    facts = VideoFacts(width=480, height=270, pixel_format="yuv420p", time_base="1/25", rate="25/1")
    for name, more in (
        ("compositing/" + SWAP, {}),
        ("extraction/ben", {"source": "take.mov", "source_sha256": "5" * 64}),
    ):
        folder = Path("data") / name
        folder.mkdir(parents=True)
        with FrameWriter(folder, facts) as writer:
            for frame in frames(pictures(), "yuv420p"):
                writer.add(frame.picture, pts=frame.pts, duration=1, shot=0, changed=True)
            writer.close(**more)
    conversion = Path("data/conversion") / SWAP
    conversion.mkdir(parents=True)
    Converted.write_index(conversion, pd.DataFrame(columns=CONVERTED.names), {"source": "ada"})
    put_model(conversion)
    return workplace


def params(credential: dict[str, Any] | None = None, **encoding: Any) -> Params:
    given = {"preset": "ultrafast", "credential": credential or {}} | encoding
    return load_params().model_copy(update={"encoding": EncodingSettings.model_validate(given)})


def logged() -> list[str]:
    """The events in the audit log."""
    return [json.loads(line)["event"] for line in Path("data/audit/log.jsonl").read_text().splitlines()]


def test_a_deliverable_is_signed_marked_entered_and_logged(ready: Path) -> None:
    run(SWAP, params())
    made = Deliverable.read(PLACE)
    assert made.facts["sha256"] == hashlib.sha256(made.video.read_bytes()).hexdigest()
    found = look(made.video, b"", Path("data/registry"))
    assert found.credential is not None
    assert (found.status, found.credential.trust) == (Status.UNPROVEN, "development")
    assert made.facts["credential"]["development"] is True
    assert found.mark.identifiers == (made.facts["watermark"]["identifier"],)
    assert [entry.lineage for entry in found.entries] == [made.facts["lineage"]]
    assert logged() == ["check", "delivery"]


def test_a_swap_of_another_model_than_the_one_that_lies_there_is_not_delivered(ready: Path) -> None:
    NETWORK.write_bytes(b"a network that was trained since")
    with pytest.raises(Problem, match="network_sha256: the swap was made by another network") as refused:
        run(SWAP, params())
    assert refused.value.where == f"data/conversion/{SWAP}/facts.json"
    assert refused.value.mend == f"reproduce the conversion and what is made of it: dvc repro compositing@{SWAP}"
    assert not PLACE.exists()
    assert logged() == ["check"]


@pytest.mark.parametrize("codec", ["h264", "png"])
def test_made_again_it_is_the_same_to_the_byte(ready: Path, codec: str) -> None:
    hashes = set()
    for _ in range(2):
        run(SWAP, params(codec=codec, pixel_format="nearest"))
        files = sorted(path for path in (*PLACE.rglob("*"), *Path("data/registry").iterdir()) if path.is_file())
        hashes.add(tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in files))
        assert look(Deliverable.read(PLACE).video, b"", Path("data/registry"), None).status is Status.UNPROVEN
    assert len(hashes) == 1


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_the_container_says_what_it_is_in_plain_fields(ready: Path, container: str) -> None:
    run(SWAP, params({"producer": "a studio"}, container=container, watermark=False))
    made = Deliverable.read(PLACE)
    with av.open(str(made.video)) as opened:
        said = {name.lower(): value for name, value in opened.metadata.items()}
    assert said["digitalsourcetype"] == COMPOSITE
    field = json.loads(said["aigc"])
    assert (field["Label"], field["ContentProducer"], field["ProduceID"]) == ("1", "a studio", made.facts["lineage"])
    assert said["comment"] == made.facts["disclosure"]


def test_signing_can_be_turned_off(ready: Path) -> None:
    run(SWAP, params({"sign": False}))
    made = Deliverable.read(PLACE)
    assert "credential" not in made.facts
    assert read_credential(made.video) is None
    assert not Path("data/registry").exists()


def test_who_signs_changes_neither_lineage_nor_mark(ready: Path, tmp_path: Path) -> None:
    key, authority = ed25519.Ed25519PrivateKey.generate(), Authority.make()
    signer = {"certificates": put(tmp_path, "chain.pem", authority.issue(key)), "key": put(tmp_path, "k", pem_of(key))}
    told = []
    for credential in ({}, {"signer": signer}):
        run(SWAP, params(credential))
        told.append(Deliverable.read(PLACE).facts)
    assert told[0]["lineage"] == told[1]["lineage"]
    assert told[0]["watermark"] == told[1]["watermark"]
    assert [each["credential"]["signer"] for each in told] == ["Likeness development certificate", "Eve Studio"]


@pytest.mark.parametrize("fault", ["no key", "no signature", "not read back", "number taken"])
def test_what_can_not_be_signed_read_back_and_entered_is_not_delivered(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    run(SWAP, params())
    before = (PLACE / "deliverable.mp4").read_bytes()
    chain = put(tmp_path, "chain.pem", Authority.make().issue(ed25519.Ed25519PrivateKey.generate()))
    chosen = CredentialSettings()
    if fault == "no key":
        chosen = CredentialSettings(signer=SignerSettings(certificates=chain, key=tmp_path / "nowhere"))
    elif fault == "no signature":
        refuses = (sys.executable, "-c", "exit('the token is gone')")
        chosen = CredentialSettings(signer=SignerSettings(certificates=chain, key_command=refuses))
    elif fault == "not read back":
        monkeypatch.setattr(provenance, "read_credential", lambda asset: None)
    else:
        [entry] = Path("data/registry").iterdir()
        entry.write_text(entry.read_text().replace('"lineage": "', '"lineage": "f'))
    with pytest.raises(Problem):
        run(SWAP, params(chosen.model_dump()))
    assert (PLACE / "deliverable.mp4").read_bytes() == before
    assert sorted(path.name for path in PLACE.parent.iterdir()) == [SWAP]
    assert logged().count("delivery") == 1
    assert resolve(Deliverable.read(PLACE).facts["watermark"]["identifier"]) is not None
