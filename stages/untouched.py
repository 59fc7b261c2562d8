"""A stage's settings, code and records must stay as they are while it works.

DVC takes the hashes of what a stage depends on when the stage has ended. Were they changed meanwhile, by an editor or
by `git checkout`, the result of the old ones would be recorded, and cached for later, as that of the new ones.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.problems import Problem

SETTINGS = "params.yaml"


@dataclass(frozen=True)
class _Look:
    """The project's own files at a moment: path -> (time of the last change, bytes), and the text of the settings."""

    files: Mapping[str, tuple[int, int]]
    settings: bytes


@contextmanager
def untouched() -> Iterator[None]:
    """Refuse the work of the block if a file of git's, or a setting, that the stage depends on changed meanwhile.

    Only where DVC runs the stage: nobody records what one by hand has made.

    Raises:
        Problem: one did.
    """
    address = os.environ.get("DVC_STAGE")
    if address is None:
        yield
        return
    before = _look()
    yield
    after = _look()
    if before == after:
        return
    changed = {
        path for path in before.files.keys() | after.files.keys() if before.files.get(path) != after.files.get(path)
    }
    concerned = _concerned(address, changed, before.settings)
    if concerned:
        raise Problem(
            f"changed while the stage worked: {', '.join(concerned)}. What it has made is not recorded",
            where=address,
            mend="run again; to look at other revisions meanwhile, use `git worktree add`",
        )


def _look() -> _Look:
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=False).stdout if _has_git() else b""
    files = {}
    for path in {*map(os.fsdecode, filter(None, listed.split(b"\0"))), SETTINGS, "dvc.yaml"}:
        try:
            found = Path(path).stat()
        except OSError:
            continue
        files[path] = (found.st_mtime_ns, found.st_size)
    try:
        return _Look(files, Path(SETTINGS).read_bytes())
    except OSError:
        return _Look(files, b"")


def _has_git() -> bool:
    return any((folder / ".git").exists() for folder in (Path.cwd(), *Path.cwd().parents))


def _concerned(address: str, changed: set[str], settings: bytes) -> list[str]:
    """What of the changed files, and of the settings, a stage depends on; DVC, which takes a second, knows that."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            (stage,) = repo.stage.collect(address)
            return [told for needed in stage.deps for told in _changes(needed, changed, settings)]
    except (DvcException, ValueError):
        return ["dvc.yaml, which has no such stage now, or can not be read"]


def _changes(needed: Any, changed: set[str], settings: bytes) -> list[str]:
    """What of a dependency changed."""
    from dvc.dependency import ParamsDependency

    place = Path(needed.fs_path)
    if isinstance(needed, ParamsDependency) and place == Path(SETTINGS).absolute():
        return [f"{SETTINGS}: {key}" for key in _other_settings(needed, settings)]
    return [path for path in sorted(changed) if Path(path).absolute().is_relative_to(place)]


def _other_settings(needed: Any, before: bytes) -> list[str]:
    """The keys whose values are not those of the text any more."""
    from dvc.dependency.param import read_param_file

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / SETTINGS
        file.write_bytes(before)
        was = read_param_file(needed.repo.fs, str(file), list(needed.params), flatten=True)
    now = needed.read_params(flatten=True)
    return sorted(key for key in was.keys() | now.keys() if was.get(key) != now.get(key))
