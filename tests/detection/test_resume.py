"""Killed anywhere, the stages that look go on after the last whole span, to the same bytes. Real SIGKILL."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import pytest

import stages.alignment.stage as alignment
import stages.decisions.stage as decisions
import stages.detection.stage as detection
from stages.packs import Landmarker
from tests.conftest import params_with
from tests.film import collins, film, moved, placed
from tests.killing import PROCESSES, contents, die_at_span, killed

PROCESSES.set_forkserver_preload([__name__])
FRAMES, SHARD = 9, 3
STAGES = {"detection": detection, "alignment": alignment}


def go(stage: ModuleType) -> None:
    stage.run("ada", params_with({"ada": Path("ada.mp4")}))


def dying(folder: Path, name: str, span: int) -> None:
    """What a child does."""
    os.chdir(folder)
    die_at_span(span)
    go(STAGES[name])


def test_killed_runs_go_on_to_the_same_bytes(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [placed((collins(), moved(110 + 2 * n, 120 + n, scale=0.8, degrees=n))) for n in range(FRAMES)]
    film(Path("data/extraction/ada"), pictures, rows=SHARD)
    go(decisions)
    looks: list[int] = []
    refine = Landmarker.refine

    def counted(landmarker: Landmarker, *arguments: object, **more: object) -> object:
        looks.append(1)
        return refine(landmarker, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Landmarker, "refine", counted)
    for name, stage in STAGES.items():
        go(stage)
        made, whole = contents(Path("data") / name / "ada"), len(looks)
        killed(dying, workplace, name, 1)
        killed(dying, workplace, name, 1)
        assert len(list(Path(".scratch", name).glob("ada/*/span-*"))) == 2
        looks.clear()
        go(stage)
        assert contents(Path("data") / name / "ada") == made
        spans = FRAMES // SHARD  # and one look of detection for tilted heads, after them
        assert len(looks) == whole - (spans - 1) * (whole // spans), (
            "faces that a killed run had looked at were looked at again"
        )
        assert not Path(".scratch", name, "ada").exists()
        looks.clear()
