"""The ablation of compositing: what is compared, and how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.bench.finishing import CHANGES, table_of, variants_of
from stages.problems import Problem
from stages.settings import load_params

PARAMS = load_params(Path("params.yaml"))


def test_every_change_that_is_compared_if_none_is_asked_for_changes_something() -> None:
    variants = variants_of([], PARAMS)
    assert list(variants) == ["default", *CHANGES]
    assert len({settings.model_dump_json() for settings in variants.values()}) == len(variants)


def test_a_setting_that_is_none_is_told() -> None:
    with pytest.raises(Problem, match="blend"):
        variants_of(["blnd.method=alpha"], PARAMS)


def test_the_table_has_a_row_a_variant_and_means() -> None:
    found = {"default": {"plain": (27.0, 0.86, 26.0, 0.01, 40.0), "hand": (25.0, 0.80, 25.0, 0.02, 60.0)}}
    assert table_of(found).splitlines() == [
        "| settings | plain | hand | mean | same skin | spilled | CPU |",
        "|---|---:|---:|---:|---:|---:|---:|",
        "| default | 27.00 / 0.860 | 25.00 / 0.800 | 26.00 / 0.830 | 25.50 | 1.50% | 50 ms |",
    ]
