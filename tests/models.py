"""A swap model of ada and ben that no test runs: what of it a delivery reads, and what the conversion says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from stages.artifacts.files import read_facts, sha256_of, write_facts

MODEL: Final = Path("data/training/ada-ben")
NETWORK: Final = MODEL / "ada.onnx"


def put_model(conversion: Path) -> None:
    """Write the model, and into the facts of a conversion to ada that its network made it."""
    MODEL.mkdir(parents=True)
    write_facts(MODEL / "model.json", {"identities": ["ada", "ben"]})
    NETWORK.write_bytes(b"a network")
    facts = conversion / "facts.json"
    write_facts(facts, read_facts(facts) | {"network_sha256": sha256_of(NETWORK)})
