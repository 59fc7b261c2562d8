"""The page of settings tells what the settings are."""

from __future__ import annotations

import re

import yaml

from stages.reference import reference
from tests.conftest import REPOSITORY


def test_the_page_in_docs_is_what_the_command_prints() -> None:
    assert (REPOSITORY / "docs/settings.md").read_text() == reference(), (
        "run: python -m stages.reference > docs/settings.md"
    )


def test_every_key_of_the_shipped_settings_is_on_the_page() -> None:
    page = reference()
    known = set(re.findall(r"^\| `([^`]+)`", page, flags=re.M))

    def keys(value: object, path: str) -> list[str]:
        if not isinstance(value, dict):
            return [path]
        return [key for name, inner in value.items() for key in keys(inner, f"{path}.{name}")]

    raw = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    stages = {
        name: raw[name] for name in ("extraction", "detection", "alignment", "dataset", "compositing", "encoding")
    }
    for section, value in stages.items():
        for key in keys(value, section) if value else []:
            assert key in known
    for key in keys(raw["training"], "training"):
        assert re.sub(r"presets\.[^.]+", "presets.<name>", key) in known, key


def test_a_key_stands_with_type_bounds_default_and_meaning() -> None:
    row = next(line for line in reference().splitlines() if "`extraction.shard_frames`" in line)
    assert row == (
        "| `extraction.shard_frames` | whole number, ≥ 1, ≤ 2000 | `1000` | frames in one lossless shard at most |"
    )
