"""What a deliverable says of its own making: fields in its container's metadata, and a signed credential."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stages.artifacts.files import sha256_of
from stages.credentials.manifest import COMPOSITE, LINEAGE, manifest_of
from stages.credentials.origin import SOFTWARE, VERSION, Origin
from stages.credentials.reading import read_credential
from stages.credentials.registry import register
from stages.credentials.settings import CredentialSettings
from stages.credentials.signer import Signer
from stages.credentials.signing import EMBEDDABLE, OTHER, sidecar_of, sign
from stages.problems import Problem

LIST: Final = "pictures.sha256"
"""Lists the files of a delivered folder by their hashes, as ``sha256sum`` does; the credential is that of the list."""

_IS_GENERATED: Final = "1"
"""GB 45438-2025, Label: the content is generated or composed by AI; 2 and 3 are for suspicions."""


@dataclass
class Provenance:
    """What is to be said of a deliverable.

    Attributes:
        origin: what it was made from.
        signer: who signs that; None where the settings say that nobody does.
        producer: who is answerable, in words.
        kept: the mark's number and the manifest store, once that is signed.
    """

    origin: Origin
    signer: Signer | None
    producer: str
    kept: tuple[str | None, bytes] | None = None

    @classmethod
    def of(cls, origin: Origin, settings: CredentialSettings) -> Provenance:
        """As the settings say.

        Raises:
            Problem: the signer that they name can not sign.
        """
        signer = Signer.of(settings) if settings.sign else None
        return cls(origin, signer, settings.producer or f"{SOFTWARE} {VERSION}")

    @property
    def tags(self) -> dict[str, str]:
        """Fields for the container's metadata: IPTC's digital source type, and China's ``AIGC`` (GB 45438-2025).

        Any tool can read them, and any tool can remove them.
        """
        produced = {"Label": _IS_GENERATED, "ContentProducer": self.producer, "ProduceID": self.origin.root}
        passed_on = {"ReservedCode1": "", "ContentPropagator": "", "PropagateID": "", "ReservedCode2": ""}
        return {"DigitalSourceType": COMPOSITE, "AIGC": json.dumps(produced | passed_on, separators=(",", ":"))}

    def sign(
        self, video: Path, mark: str | None = None, beside: Iterable[Path] = (), title: str | None = None
    ) -> dict[str, Any]:
        """Sign a finished deliverable and read it back.

        Args:
            video: the file, or the folder: of pictures, or of layers.
            mark: the number in the invisible mark of its pictures, in hexadecimal.
            beside: files that lie beside the folder and belong to it: its sound.
            title: what it is called; the name of ``video`` if None.

        Returns:
            facts: ``lineage``, the root hash, and ``credential``: where it is (``in``: the file itself or one beside
            it), who signed, and whether that was the development certificate.

        Raises:
            Outage: the time-stamp authority gives no stamp.
            Problem: it can not be signed, or what is read back is not what was signed.
        """
        facts: dict[str, Any] = {"lineage": self.origin.root}
        if self.signer is None:
            return facts
        asset = video if video.is_file() else write_list(video, beside)
        media_type = EMBEDDABLE.get(asset.suffix, OTHER)
        definition = manifest_of(self.origin, title or video.name, media_type, mark)
        holder, store = sign(asset, definition, self.signer)
        self._read_back(asset)
        self.kept = mark, store
        told = {"in": holder.relative_to(video.parent).as_posix(), "signer": self.signer.name}
        return facts | {"credential": told | {"development": self.signer.development}}

    def register(self, folder: Path | None = None) -> None:
        """Enter a deliverable that was marked and signed into the registry.

        Raises:
            Problem: its mark's number stands for something else, or was revoked.
        """
        mark, store = self.kept or (None, b"")
        if mark is not None:
            register(mark, self.origin, store, folder)

    def _read_back(self, asset: Path) -> None:
        found = read_credential(asset)
        if found is None or not found.valid:
            said = "; ".join(" ".join(each) for each in found.failures) if found else "there is none"
            raise Problem(
                f"its credential does not hold when read back: {said}",
                where=asset,
                mend="look at the certificates that encoding.credential names: python -m stages.verify FILE",
            )
        if (found.assertion(LINEAGE) or {}).get("root") != self.origin.root:
            raise Problem("its credential is another's", where=asset, mend="run it again")


def write_list(folder: Path, beside: Iterable[Path] = ()) -> Path:
    """Write the list of all files in a folder and of those beside it; returns where it lies."""
    place = folder / LIST
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in files_of(folder)]
    lines += [f"{sha256_of(path)}  ../{path.name}\n" for path in beside]
    place.write_text("".join(lines), encoding="utf-8")
    return place


def files_of(folder: Path) -> list[str]:
    """What a list of a folder names: all files in it and below by their paths from it, but the list and its credential.

    A link counts, whatever it leads to: nobody may hang another folder into a delivered one.
    """
    own = {LIST, sidecar_of(Path(LIST)).name}
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted({path.relative_to(folder).as_posix() for path in found} - own)
