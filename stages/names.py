"""Names of params.yaml for a shell that completes what is typed. Read in milliseconds, and silent about faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

FILE = "params.yaml"


def names_in(section: str) -> Callable[[str], list[str]]:
    """What completes a name of a section of params.yaml: a function from what is typed so far to the names."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names(section) if name.startswith(incomplete)]

    return complete


def names(section: str, start: Path | None = None) -> list[str]:
    """The names in a section of the nearest params.yaml at or above a folder; none where there is nothing to read.

    Args:
        section: ``clips``, ``swaps`` and so on.
        start: the folder; by default the working directory.
    """
    start = start or Path.cwd()
    file = next((path for folder in (start, *start.parents) if (path := folder / FILE).is_file()), None)
    if file is None:
        return []
    try:
        content = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return []
    found = content.get(section) if isinstance(content, dict) else None
    return [str(name) for name in found] if isinstance(found, dict) else []
