"""Reads a companion's face sets and consent record; writes which they are, into the folder of the pair's cast."""

from __future__ import annotations

from pathlib import Path

from stages.artifacts.cast import CompanionFaces
from stages.artifacts.face_set import data_hashes
from stages.consent import require_companion_consent
from stages.problems import Problem
from stages.settings import Params


def run(name: str, params: Params) -> None:
    """Let a further identity join a pair.

    Raises:
        Problem: there is no such companion; its consent does not allow it to train
            a model with the rest of the cast today; it has no face set.
    """
    companion = params.companion(name)
    record = require_companion_consent(name, params)
    folder = Path("data/dataset") / companion.identity
    data = data_hashes(folder)
    if not data:
        raise Problem("there is no face set", where=folder, mend="run `dvc repro` for its dataset stage")
    CompanionFaces(identity=companion.identity, consent=record.id, data=data).write(companion.pair)
