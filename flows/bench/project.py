"""Projects to try things on: this one's files with other settings."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from stages.problems import Problem

SAMPLES: Final = ("data/performances/", "data/truth/ada", "data/truth/ben", "dvc.lock")
NEVER: Final = ("tests/", "docs/")


def small_project(source: Path, place: Path, seconds: float) -> None:
    """Make a git and DVC repository of the samples' beginnings with the smallest training; nothing is made of them yet.

    Args:
        source: this project.
        place: where to; it must not be there.
        seconds: length of the clips.

    Raises:
        Problem: the source is no git repository.
    """
    copy_tracked(source, place)
    settings = place / "params.yaml"
    raw: dict[str, Any] = yaml.safe_load(settings.read_text(encoding="utf-8"))
    for clip in raw["clips"].values():
        clip["end"] = seconds
    raw["training"]["preset"] = "smoke"
    for swap in raw["swaps"].values():
        swap["truth"] = "none"
    settings.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    keep(place, "begin", new=True)


def copy_tracked(source: Path, place: Path, without: tuple[str, ...] = ()) -> None:
    """Copy what git tracks of this project but tests and documents.

    Args:
        source: this project.
        place: where to.
        without: what else is left out, by how its path begins.

    Raises:
        Problem: the source is no git repository.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=source, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise Problem("it is no git repository", where=source, mend="run this in a clone")
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith((*NEVER, *without)) and (source / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, place / name)


def keep(place: Path, message: str, *, new: bool = False) -> None:
    """Commit all of a project; ``new`` makes it a git repository first."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.invalid")
    commands: list[tuple[str, ...]] = [("init", "-q")] if new else []
    commands += [("add", "--all"), (*identity, "commit", "-q", "--allow-empty", "-m", message)]
    for command in commands:
        subprocess.run(["git", *command], cwd=place, check=True, capture_output=True)
