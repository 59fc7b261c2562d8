"""What the finishing stages refuse, and that they then leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.compositing.inputs import Inputs
from stages.compositing.layers import deliver
from stages.compositing.stage import run as composite
from stages.encoding.stage import run as encode
from stages.evaluation.stage import run as evaluate
from stages.problems import Problem
from stages.settings import Params, load_params

STAGES = {"compositing": composite, "encoding": encode, "evaluation": evaluate}
Run = Callable[[str, Params], None]


@pytest.mark.parametrize(("stage", "run"), [(name, STAGES[name]) for name in ("compositing", "encoding")])
@pytest.mark.parametrize("identity", ["ada", "ben"])
def test_nothing_is_made_without_consent(workplace: Path, stage: str, run: Run, identity: str) -> None:
    (workplace / "data/consent" / f"{identity}.yaml").unlink()
    with pytest.raises(Problem, match=f"no consent record for '{identity}'"):
        run("ada-on-ben", load_params())
    assert not (workplace / "data" / stage).exists()


@pytest.mark.parametrize(("stage", "run"), list(STAGES.items()))
def test_a_missing_artifact_is_named(workplace: Path, stage: str, run: Run) -> None:
    with pytest.raises(Problem, match="dvc repro"):
        run("ada-on-ben", load_params())
    assert not (workplace / "data" / stage).exists()


@pytest.mark.parametrize("run", list(STAGES.values()), ids=list(STAGES))
def test_an_unknown_swap_is_told_the_nearest(workplace: Path, run: Run) -> None:
    with pytest.raises(Problem, match="did you mean 'ada-on-ben'"):
        run("ada-on-bne", load_params())


@pytest.mark.parametrize("run", [Inputs.read, lambda name, params: deliver(name, params, Path("out"))])
def test_neither_preview_nor_layers_are_made_without_consent(workplace: Path, run: Callable[..., object]) -> None:
    (workplace / "data/consent/ada.yaml").unlink()
    with pytest.raises(Problem, match="no consent record for 'ada'"):
        run("ada-on-ben", load_params())
    assert not (workplace / "out").exists()
