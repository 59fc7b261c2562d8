"""What a checkpoint must not outlive: the packs and the topology that a chart's goal comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages import packs, topology
from stages.packs import Pack
from stages.training.provenance import packs_hash


def test_another_face_or_topology_is_another_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = packs_hash()
    assert packs_hash() == shipped
    own = packs.open_pack()
    for role, file in own.files.items():
        other = tmp_path / file.name
        other.write_bytes(file.read_bytes() + b"\n")
        files = own.files | {role: other}
        with monkeypatch.context() as patch:
            patch.setattr(packs, "open_pack", lambda files=files: Pack(own.name, own.folder, 0.0, files, ""))
            assert packs_hash() != shipped
    changed = tmp_path / "topology.py"
    changed.write_text("NOSE_TIP = 5\n")
    monkeypatch.setattr(topology, "__file__", str(changed))
    assert packs_hash() != shipped
