"""Killed anywhere, compositing goes on after the last whole span, to the same bytes. Real processes, real SIGKILL."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.compositing.stage import run
from stages.settings import load_params
from tests.killing import PROCESSES, contents, die_at_span, killed

PROCESSES.set_forkserver_preload([__name__])
SWAP, MADE = "ada-on-ben", Path("data/compositing/ada-on-ben")


def composite() -> None:
    run(SWAP, load_params(Path("params.yaml")))


def dying(folder: Path, span: int) -> None:
    """What a child does."""
    os.chdir(folder)
    die_at_span(span)
    composite()


def kept() -> int:
    return len(list(Path(".scratch/compositing").glob("ada-on-ben/*/span-*")))


def test_a_killed_run_goes_on_to_the_same_bytes(make_pipeline: Callable[..., None], workplace: Path) -> None:
    make_pipeline(frames=12)  # in shards of 5: three spans to measure, then three to place
    composite()
    unbroken = contents(MADE)
    assert not Path(".scratch/compositing/ada-on-ben").exists()
    for span, there in ((1, 1), (0, 1), (2, 3), (2, 5)):
        killed(dying, workplace, span)
        assert kept() == there
    composite()
    assert contents(MADE) == unbroken
    assert not Path(".scratch/compositing/ada-on-ben").exists()


def test_other_crops_do_not_find_what_was_left(make_pipeline: Callable[..., None], workplace: Path) -> None:
    make_pipeline(frames=12)
    killed(dying, workplace, 4)
    index = Path("data/conversion/ada-on-ben/facts.json")
    index.write_text(index.read_text() + "\n")
    killed(dying, workplace, 1)
    assert kept() == 1


@pytest.mark.parametrize("span", [0, 5])
def test_what_was_made_before_stays_until_the_new_is_whole(
    make_pipeline: Callable[..., None], workplace: Path, span: int
) -> None:
    make_pipeline(frames=12)
    composite()
    unbroken = contents(MADE)
    killed(dying, workplace, span)
    assert contents(MADE) == unbroken
