"""What is said of a swap that is handed over, as a film or as layers: from its artifacts, settings and consents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.artifacts.converted import Converted
from stages.artifacts.files import sha256_of
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.consent.record import Consent
from stages.credentials.origin import Delivery, Origin
from stages.credentials.provenance import Provenance
from stages.problems import Problem
from stages.settings import Params


def provenance_of(
    name: str,
    params: Params,
    records: Mapping[str, Consent],
    clip: Frames,
    finished: Frames,
    converted: Converted,
    delivery: Delivery = "deliverable",
) -> Provenance:
    """What is to be said of a swap.

    Args:
        name: of the swap.
        params: by which it is delivered and signed.
        records: of the consents that allow it, by role.
        clip: the target's frames.
        finished: what compositing made of them.
        converted: the crops that it put into them, which tell by which network they were made.
        delivery: what is handed over.

    Raises:
        Problem: no such swap; its model is missing, damaged or not the one that made it; the signer that the settings
            name can not sign.
    """
    swap = params.swap(name)
    model = SwapModel.read(Path("data/training") / swap.pair)
    _require_made_by(model, swap.source, converted, name)
    model_sha256 = sha256_of(model.folder / "model.json")
    origin = Origin.of(clip, finished, model_sha256, _settings_of(delivery, params), records, delivery)
    return Provenance.of(origin, params.encoding.credential)


def _require_made_by(model: SwapModel, source: str, converted: Converted, name: str) -> None:
    """A credential names the model that lies there; so it must be the one that made the swap.

    It can be another one where a training was run, or a model checked out, without the stages after it.
    """
    if converted.facts.get("network_sha256") != model.network_sha256(source):
        raise Problem(
            f"network_sha256: the swap was made by another network than {model.network(source)}, which lies there now, "
            "so nothing is signed in that model's name",
            where=converted.folder / "facts.json",
            mend=f"reproduce the conversion and what is made of it: dvc repro compositing@{name}",
        )


def _settings_of(delivery: Delivery, params: Params) -> dict[str, Any]:
    """The settings that what is handed over depends on, as plain data; who signs it is not among them."""
    if delivery == "layers":
        return params.compositing.model_dump(mode="json")
    return params.encoding.model_dump(mode="json", exclude={"credential": {"signer"}, "watermark_key": True})
