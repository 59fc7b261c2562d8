"""Projects to try things on: this one's files with other footage."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from stages.problems import Problem
from stages.video import ffmpeg_program

LEFT_OUT: Final = ("data/performances/", "data/truth/ada", "data/truth/ben", "tests/", "docs/", "dvc.lock")
PEOPLE: Final = ("ada", "ben")


def small_project(source: Path, place: Path, seconds: float) -> None:
    """Make a git and DVC repository with two short clips, one pair and both swaps; nothing is made in it yet.

    Args:
        source: this project.
        place: where to; it must not be there.
        seconds: length of the clips.

    Raises:
        Problem: the source is no git repository, or lacks its sample clips.
    """
    copy_tracked(source, place)
    for person in PEOPLE:
        _shorten(source / f"data/performances/{person}/clip.mp4", place / f"data/footage/{person}.mp4", seconds)
    settings = place / "params.yaml"
    raw: dict[str, Any] = yaml.safe_load(settings.read_text(encoding="utf-8"))
    raw |= {"performers": {}, "performances": {}, "truths": {}}
    raw["clips"] = {name: {"identity": name, "path": f"data/footage/{name}.mp4"} for name in PEOPLE}
    raw["training"]["preset"] = "smoke"
    for swap in raw["swaps"].values():
        swap["truth"] = "none"
    settings.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    keep(place, "begin", new=True)


def copy_tracked(source: Path, place: Path) -> None:
    """Copy what git tracks of this project but samples, tests and what was made.

    Raises:
        Problem: the source is no git repository.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=source, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise Problem("it is no git repository", where=source, mend="run this in a clone")
    for name in filter(None, listed.stdout.split("\0")):
        if not name.startswith(LEFT_OUT) and (source / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, place / name)


def keep(place: Path, message: str, *, new: bool = False) -> None:
    """Commit all of a project; ``new`` makes it a git repository first."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.invalid")
    commands: list[tuple[str, ...]] = [("init", "-q")] if new else []
    commands += [("add", "--all"), (*identity, "commit", "-q", "-m", message)]
    for command in commands:
        subprocess.run(["git", *command], cwd=place, check=True, capture_output=True)


def _shorten(source: Path, target: Path, seconds: float) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [ffmpeg_program(), "-v", "error", "-i", str(source), "-t", str(seconds), "-c:v", "libx264", "-crf", "14"]
    done = subprocess.run([*command, "-c:a", "copy", "-y", str(target)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(f"the sample clip can not be cut: {done.stderr.strip()}", where=source, mend="`make samples`")
