"""Settings to compare, as they are written on a command line."""

from __future__ import annotations

import re
from typing import Any

import yaml

from stages.compositing.settings import CompositingSettings
from stages.problems import Problem
from stages.settings import parse

_NEXT = re.compile(r",\s*(?=[\w.-]+\s*=)")
"""The comma before another KEY=VALUE; one within a value, as in {method: alpha, bands: 3}, is none."""


def variant(text: str, settings: CompositingSettings) -> tuple[str, CompositingSettings]:
    """A changed copy of settings, and what to call it.

    Args:
        text: ``KEY=VALUE`` or several with commas between, with ``NAME:`` before them or not; keys as in
            docs/settings.md, with or without ``compositing.``; values as in params.yaml.
        settings: that are changed.

    Returns:
        its name, the text itself if it has none, and the settings.

    Raises:
        Problem: an unknown key (with the nearest known one), a value that does not fit, or no KEY=VALUE.
    """
    name, colon, pairs = text.partition(":")
    if not colon or "=" in name:
        name, pairs = text, text
    raw = settings.model_dump(mode="json")
    for pair in _NEXT.split(pairs.strip()):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise Problem(
                f"'{pair}' is no KEY=VALUE", where=f"--set {text}", mend="write for instance --set blend.method=alpha"
            )
        _put(raw, key.strip().removeprefix("compositing.").split("."), _read(value, text))
    return name.strip(), parse(CompositingSettings, raw, where=f"--set {text}")


def _read(value: str, text: str) -> Any:
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise Problem(
            f"the value '{value}' can not be read: {error}", where=f"--set {text}", mend="write it as in params.yaml"
        ) from error


def _put(raw: dict[str, Any], path: list[str], value: Any) -> None:
    """Set one key of nested dictionaries; a dictionary is merged into the one that is there."""
    *above, last = path
    here = raw
    for part in above:
        if not isinstance(here.get(part), dict):
            here[part] = {}
        here = here[part]
    both = isinstance(value, dict) and isinstance(here.get(last), dict)
    here[last] = here[last] | value if both else value
