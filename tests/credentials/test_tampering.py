"""What can be done to a signed deliverable, and that each way of it shows."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.credentials.development import development_root
from stages.credentials.manifest import canonical_definition, manifest_of
from stages.credentials.origin import Origin
from stages.credentials.provenance import LIST, Provenance
from stages.credentials.reading import read_credential
from stages.credentials.settings import CredentialSettings
from stages.credentials.trust import read_anchors
from stages.problems import Problem
from stages.verify import findings
from stages.verify.findings import Findings, Status
from stages.verify.telling import as_document
from stages.video import ffmpeg_program
from tests.authorities import SERVER, Authority, put, self_signed
from tests.conftest import write_clip
from tests.credentials.conftest import origin_of

MANIFEST_STORE: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""Names the box of an MP4 file that holds a manifest store."""


def look(path: Path, anchors: bytes) -> Findings:
    """Without looking for a mark."""
    return findings.look(path, anchors, path.parent, None)


@dataclass(frozen=True)
class Scene:
    """A signed file, another one, what the first was made from, and who vouches for its signer."""

    video: Path
    other: Path
    origin: Origin
    anchors: bytes

    def edit(self, before: bytes, after: bytes) -> None:
        """Put some bytes in the place of others of the same length, which stand in the file."""
        content = self.video.read_bytes()
        assert len(before) == len(after)
        assert before in content
        self.video.write_bytes(content.replace(before, after))

    def flip(self, at: int) -> None:
        """Change one bit."""
        content = bytearray(self.video.read_bytes())
        content[at] ^= 1
        self.video.write_bytes(content)

    def box(self, kind: bytes, path: Path | None = None) -> tuple[int, int]:
        """Where a box of the file begins and ends; ``uuid`` is the credential's."""
        content, at = (path or self.video).read_bytes(), 0
        while at < len(content):
            size, name = struct.unpack(">I4s", content[at : at + 8])
            if name == kind:
                return at, at + size
            at += size
        raise AssertionError(f"there is no {kind!r}")

    def ffmpeg(self, *arguments: str) -> None:
        """Write the file anew."""
        made = self.video.with_name("made.mp4")
        command = [ffmpeg_program(), "-v", "error", "-i", str(self.video), *arguments, str(made)]
        subprocess.run(command, check=True)
        made.replace(self.video)


@pytest.fixture
def scene(video: Path, tmp_path: Path, origin: Origin, own: CredentialSettings, authority: Authority) -> Scene:
    other = tmp_path / "other" / "deliverable.mp4"
    other.parent.mkdir()
    write_clip(other, frames=14, sound=True)
    Provenance.of(origin, own).sign(video)
    Provenance.of(origin_of("55"), own).sign(other)
    return Scene(video, other, origin, authority.pem)


def middle_of(kind: bytes) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        begin, end = scene.box(kind)
        scene.flip((begin + end) // 2)

    return act


def swap_credentials(scene: Scene) -> None:
    (begin, end), (first, last) = scene.box(b"uuid"), scene.box(b"uuid", scene.other)
    mine, others = scene.video.read_bytes(), scene.other.read_bytes()
    assert end - begin == last - first
    scene.video.write_bytes(mine[:begin] + others[first:last] + mine[end:])


def swap_media(scene: Scene) -> None:
    """The other's pictures and sound behind this file's credential."""
    begin, end = scene.box(b"uuid")
    first, last = scene.box(b"uuid", scene.other)
    mine, others = scene.video.read_bytes(), scene.other.read_bytes()
    scene.video.write_bytes(others[:first] + mine[begin:end] + others[last:])


def append(content: bytes) -> Callable[[Scene], None]:
    def act(scene: Scene) -> None:
        scene.video.write_bytes(scene.video.read_bytes() + content)

    return act


def cut(scene: Scene) -> None:
    scene.video.write_bytes(scene.video.read_bytes()[:-200])


def signature(scene: Scene) -> None:
    """A bit of the signature itself, which stands after the certificates, before zeros."""
    content = scene.video.read_bytes()
    begin, end = scene.box(b"uuid")
    at = content.index(b"\x58\x40", content.index(b"c2pa.signature", begin), end)
    scene.flip(at + 20)


def certificate(scene: Scene) -> None:
    scene.edit(b"Eve Studio", b"Eva Studio")


def fitting_hash(scene: Scene) -> None:
    """The media is altered, and the hash over it made to fit, which stands in an assertion."""
    begin, end = scene.box(b"mdat")
    scene.flip((begin + end) // 2)
    found = read_credential(scene.video)
    assert found is not None
    content = scene.video.read_bytes()
    at = content.index(b"c2pa.hash.bmff.v3")
    hashed = content.index(b"dhash\x58\x20", at) + 7
    scene.flip(hashed)


def replaced(before: bytes, after: bytes) -> Callable[[Scene], None]:
    return lambda scene: scene.edit(before, after)


ALTERED: Final[dict[str, Callable[[Scene], None]]] = {
    "a bit of the media": middle_of(b"mdat"),
    "the first byte of the media": lambda scene: scene.flip(scene.box(b"mdat")[0] + 8),
    "the last byte of the file": lambda scene: scene.flip(scene.video.stat().st_size - 1),
    "a bit of the index": middle_of(b"moov"),
    "the time of a frame": replaced(b"stts", b"free"),
    "cut off": cut,
    "junk appended": append(b"junk" * 40),
    "free space appended": append(struct.pack(">I4s", 16, b"free") + b"12345678"),
    "media appended": append(struct.pack(">I4s", 16, b"mdat") + b"12345678"),
    "another file's credential": swap_credentials,
    "another file's media": swap_media,
    "the hash made to fit": fitting_hash,
    "a record's id": replaced(b"ada-1", b"eve-1"),
    "a record's role": replaced(b"ftarget", b"fsource"),
    "a record's scope": replaced(b"nowhere", b"Germany"),
    "the parent's hash": replaced(b"sha256:" + b"11" * 32, b"sha256:" + b"66" * 32),
    "the parent's name": replaced(b"take-3.mov", b"take-4.mov"),
    "the model's hash": replaced(b"sha256:" + b"22" * 32, b"sha256:" + b"66" * 32),
    "the parent made a part": replaced(b"hparentOf", b"hinputToX"),
    "the digital source type": replaced(b"compositeWithTrainedAlgorithmic", b"compositeWithTreasuredEditorial"),
    "an action": replaced(b"c2pa.edited", b"c2pa.placed"),
    "training allowed": replaced(b"jnotAllowed", b"jwelcomedXX"),
    "the software": replaced(b"hLikeness", b"hCameraXX"),
    "an assertion taken away": replaced(b"likeness.lineage", b"likeness.lineagX"),
    "the title": replaced(b"deliverable.mp4", b"camera-orig.mp4"),
    "the signature": signature,
    "the certificate's name": certificate,
}
"""Each is to be told as altered."""


@pytest.mark.parametrize("way", ALTERED)
def test_what_was_altered_is_found(scene: Scene, way: str) -> None:
    assert look(scene.video, scene.anchors).status is Status.TRUSTED
    ALTERED[way](scene)
    found = look(scene.video, scene.anchors)
    assert found.status is Status.INVALID
    assert found.credential is not None
    assert found.credential.failures


def take_away(scene: Scene) -> None:
    begin, end = scene.box(b"uuid")
    content = scene.video.read_bytes()
    scene.video.write_bytes(content[:begin] + content[end:])


GONE: Final[dict[str, Callable[[Scene], None]]] = {
    "taken away": take_away,
    "remuxed": lambda scene: scene.ffmpeg("-c", "copy", "-map_metadata", "-1"),
    "encoded again": lambda scene: scene.ffmpeg("-c:v", "libx264", "-map_metadata", "-1"),
    "the box renamed": lambda scene: scene.edit(MANIFEST_STORE, bytes(16)),
}
"""The credential is no longer there; only the mark in the pictures can tell then."""


@pytest.mark.parametrize("way", GONE)
def test_without_its_credential_it_never_passes_as_signed(scene: Scene, way: str) -> None:
    GONE[way](scene)
    found = look(scene.video, scene.anchors)
    assert found.status not in (Status.TRUSTED, Status.UNPROVEN)
    assert found.credential is None or not found.credential.valid


def signed_by(
    video: Path, origin: Origin, chain: bytes, key: ed25519.Ed25519PrivateKey, instead: bytes | None = None
) -> None:
    """Sign with the library alone, which asks less of a certificate than we do.

    ``instead`` is a chain that even the library would not sign with: it is put in the place of the other, which is
    as long, and signed then.
    """
    definition = canonical_definition(manifest_of(origin, video.name, "video/mp4"))
    messages: list[bytes] = []
    blank = bytes(range(64))

    def note(message: bytes) -> bytes:
        messages.append(message)
        return blank

    signer = c2pa.Signer.from_callback(note, c2pa.C2paSigningAlg.ED25519, chain.decode())
    context = c2pa.Context.from_dict({"verify": {"verify_after_sign": False}})
    made = video.with_name("by another.mp4")
    with (
        c2pa.Builder.from_json(definition, context=context) as builder,
        video.open("rb") as source,
        made.open("w+b") as target,
    ):
        builder.sign(signer, "video/mp4", source, target)
    (before, *_), (after, *_) = (load_pem_x509_certificates(each) for each in (chain, instead or chain))
    old, new = before.public_bytes(Encoding.DER), after.public_bytes(Encoding.DER)
    content, message = made.read_bytes(), messages[0]
    assert len(old) == len(new)
    assert old in content
    assert old in message
    made.write_bytes(content.replace(old, new).replace(blank, key.sign(message.replace(old, new))))
    made.replace(video)


STRANGERS: Final[dict[str, tuple[Callable[[Authority, Any], bytes], Status, str]]] = {
    "an authority that is not on the list": (
        lambda _, key: Authority.make("another root").issue(key),
        Status.UNPROVEN,
        "unknown",
    ),
    "an authority that bears the trusted one's name": (
        lambda _, key: Authority.make().issue(key),
        Status.UNPROVEN,
        "unknown",
    ),
    "themselves": (lambda _, key: self_signed(key), Status.UNPROVEN, "self-signed"),
}
"""Who signs, what is concluded, and how far the signer is trusted."""


UNFIT: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "over": ({"days": (-30, -1)}, "signingCredential.expired"),
    "yet to begin": ({"days": (10, 30)}, "signingCredential.expired"),
    "for servers": ({"usages": (SERVER,)}, "signingCredential.invalid"),
}
"""Certificates of a trusted authority that do not hold for this, and what readers say of them."""


@pytest.mark.parametrize("how", UNFIT)
def test_a_certificate_that_does_not_hold_makes_no_valid_credential(
    video: Path, origin: Origin, authority: Authority, how: str
) -> None:
    key, unsigned = ed25519.Ed25519PrivateKey.generate(), video.read_bytes()
    signed_by(video, origin, authority.issue(key), key)
    assert look(video, authority.pem).status is Status.TRUSTED
    video.write_bytes(unsigned)
    signed_by(video, origin, authority.issue(key), key, instead=authority.issue(key, **UNFIT[how][0]))
    found = look(video, authority.pem)
    assert found.status is Status.INVALID
    assert found.credential is not None
    assert [code for code, _ in found.credential.failures] == [UNFIT[how][1]]


@pytest.mark.parametrize("who", STRANGERS)
def test_who_signed_is_not_taken_on_trust(video: Path, origin: Origin, authority: Authority, who: str) -> None:
    make, status, trust = STRANGERS[who]
    key = ed25519.Ed25519PrivateKey.generate()
    signed_by(video, origin, make(authority, key), key)
    found = look(video, authority.pem)
    assert found.status is status
    assert found.credential is not None
    assert found.credential.trust != "trusted"
    assert not trust or found.credential.trust == trust


def with_ingredient(video: Path, ingredient: Path, chain: bytes, key: ed25519.Ed25519PrivateKey) -> Path:
    """Another program's film that has a film of ours for a part of it."""
    camera = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    created = {"action": "c2pa.created", "digitalSourceType": camera}
    definition = {
        "claim_generator_info": [{"name": "Editor"}],
        "title": "made.mp4",
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [created]}}],
    }
    signer = c2pa.Signer.from_callback(key.sign, c2pa.C2paSigningAlg.ED25519, chain.decode())
    made = video.with_name("made.mp4")
    part = json.dumps({"title": "part.mp4", "relationship": "componentOf"})
    with c2pa.Builder.from_json(json.dumps(definition)) as builder:
        with ingredient.open("rb") as source:
            builder.add_ingredient(part, "video/mp4", source)
        builder.sign_file(str(video), str(made), signer)
    return made


@pytest.mark.parametrize(
    ("signer", "part", "trust"),
    [
        ("stranger", "trusted", "unknown"),
        ("stranger", "development", "unknown"),
        ("trusted", "development", "trusted"),
        ("trusted", "trusted", "trusted"),
    ],
)
def test_a_part_that_somebody_else_signed_lends_no_trust_and_takes_none(
    scene: Scene, tmp_path: Path, authority: Authority, signer: str, part: str, trust: str
) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    chain = (authority if signer == "trusted" else Authority.make("another root")).issue(key, "Mallory")
    if part == "development":
        write_clip(scene.video, frames=9)
        Provenance.of(scene.origin, CredentialSettings()).sign(scene.video)
    plain = tmp_path / "plain.mp4"
    write_clip(plain, frames=16)
    found = look(with_ingredient(plain, scene.video, chain, key), authority.pem)
    assert found.credential is not None
    assert (found.credential.valid, found.credential.signer) == (True, "Mallory")
    assert found.credential.trust == trust
    assert found.status is (Status.TRUSTED if trust == "trusted" else Status.UNPROVEN)
    # what a part says of itself is handed on
    told = as_document(found)["credential"]
    assert (told["altered_by_ai"], told["altered_before"]) == (True, True)
    assert told["lineage"] == scene.origin.root
    assert [each["record_id"] for each in told["consent"]] == ["ada-1", "ben-1"]


def test_the_development_certificate_is_called_so_in_every_reading(
    video: Path, origin: Origin, authority: Authority
) -> None:
    Provenance.of(origin, CredentialSettings()).sign(video)
    for anchors in (b"", authority.pem):
        found = look(video, anchors)
        assert found.status is Status.UNPROVEN
        assert found.credential is not None
        assert found.credential.trust == "development"


def test_a_trust_list_holds_authorities_only(tmp_path: Path, authority: Authority) -> None:
    put(tmp_path, "root.pem", authority.pem)
    assert read_anchors(tmp_path) == authority.pem
    assert read_anchors(tmp_path / "nowhere") == b""
    put(tmp_path, "leaf.pem", self_signed(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(Problem, match="vouch for themselves"):
        read_anchors(tmp_path)
    put(tmp_path, "leaf.pem", development_root())
    with pytest.raises(Problem, match="never trusted"):
        read_anchors(tmp_path)


@pytest.fixture
def pictures(tmp_path: Path, origin: Origin, own: CredentialSettings) -> Path:
    """A delivered folder of pictures."""
    folder = tmp_path / "encoding" / "deliverable"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number:06}.png").write_bytes(b"a picture" * (number + 1))
    sound = folder.parent / "sound.mov"
    sound.write_bytes(b"sound")
    Provenance.of(origin, own).sign(folder, beside=[sound])
    return folder


FOLDERS: Final[dict[str, Callable[[Path], object]]] = {
    "a picture altered": lambda folder: (folder / "000001.png").write_bytes(b"another"),
    "a picture removed": lambda folder: (folder / "000001.png").unlink(),
    "a picture added": lambda folder: (folder / "000003.png").write_bytes(b"more"),
    "pictures in another order": lambda folder: (folder / "000000.png").replace(folder / "000001.png"),
    "the sound altered": lambda folder: (folder.parent / "sound.mov").write_bytes(b"other"),
    "the list made to fit": lambda folder: (folder / LIST).write_text((folder / LIST).read_text().replace("a", "b")),
    "a list that is no text": lambda folder: (folder / LIST).write_bytes(b"\xff\xfe  \0name\n"),
    "another credential": lambda folder: (folder / LIST).with_suffix(".c2pa").write_bytes(b"nothing"),
}


@pytest.mark.parametrize("way", FOLDERS)
def test_a_folder_of_pictures_is_held_together_by_its_list(pictures: Path, authority: Authority, way: str) -> None:
    assert look(pictures, authority.pem).status is Status.TRUSTED
    FOLDERS[way](pictures)
    assert look(pictures, authority.pem).status is Status.INVALID


def test_the_sound_may_be_left_behind(pictures: Path, authority: Authority, tmp_path: Path) -> None:
    alone = shutil.copytree(pictures, tmp_path / "alone")
    assert look(alone, authority.pem).status is Status.TRUSTED


def test_a_credential_beside_a_file_is_that_files_alone(
    tmp_path: Path, origin: Origin, own: CredentialSettings, authority: Authority
) -> None:
    one, two = tmp_path / "one.mkv", tmp_path / "two.mkv"
    write_clip(one)
    write_clip(two, frames=14)
    Provenance.of(origin, own).sign(one)
    assert look(one, authority.pem).status is Status.TRUSTED
    shutil.copy(one.with_suffix(".c2pa"), two.with_suffix(".c2pa"))
    assert look(two, authority.pem).status is Status.INVALID
    one.with_suffix(".c2pa").unlink()
    assert look(one, authority.pem).status is Status.NOTHING


@given(place=st.integers(0, 10**6), byte=st.integers(1, 255))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_byte_of_the_claim_or_the_media_can_change_unseen(scene: Scene, place: int, byte: int) -> None:
    """Not so the padding in a credential, the kinds of its boxes, which are always the same, and the file's type."""
    content = bytearray(scene.video.read_bytes())
    begin, end = scene.box(b"uuid")
    assertions, signature = content.index(b"c2pa.ingredient.v3", begin), content.index(b"c2pa.signature", begin) - 60
    claim = content.index(b"c2pa.claim.v2", begin)
    places = [*range(assertions, claim - 20), *range(claim, signature), *range(end, len(content))]
    at = places[place % len(places)]
    content[at] = (content[at] + byte) % 256
    changed = scene.video.with_name("changed.mp4")
    changed.write_bytes(content)
    found = look(changed, scene.anchors)
    assert found.credential is None or not found.credential.valid
