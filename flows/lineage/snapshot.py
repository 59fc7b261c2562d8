"""The project as it lies here, or as it was at a revision in git."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from stages.problems import Problem

SEPARATOR = "@"


@dataclass(frozen=True)
class Snapshot:
    """A state of the project's text: records, settings, code, consent.

    Attributes:
        root: the repository's folder.
        commit: the revision, in full; None for what lies in the working tree.
    """

    root: Path
    commit: str | None = None

    @classmethod
    def at(cls, root: Path, revision: str | None) -> Snapshot:
        """The project at a revision.

        Raises:
            Problem: git knows no such revision.
        """
        if revision is None:
            return cls(root)
        found = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if not found:
            raise Problem(
                f"git knows no revision '{revision}'", where=root, mend="`git log --oneline -- dvc.lock` lists some"
            )
        return cls(root, found.decode().strip())

    @cached_property
    def prefix(self) -> str:
        """From git's top folder to the project's, ending in a slash unless it is empty."""
        return (git(self.root, "rev-parse", "--show-prefix") or b"").decode().strip()

    @property
    def day(self) -> date:
        """That of the commit, or today."""
        if self.commit is None:
            return date.today()
        said = git(self.root, "show", "--no-patch", "--format=%cs", self.commit) or b""
        return date.fromisoformat(said.decode().strip())

    def read(self, path: str) -> bytes | None:
        """The content of a file, None if there is none.

        Args:
            path: from the project's folder.
        """
        if self.commit is not None:
            return git(self.root, "cat-file", "blob", f"{self.commit}:{self.prefix}{path}")
        file = self.root / path
        return file.read_bytes() if file.is_file() else None

    def tracks(self, path: str) -> bool:
        """Whether git has the file or folder (in the working tree's case, as of the last commit)."""
        return bool(git(self.root, "ls-tree", self.commit or "HEAD", "--", path))

    @contextmanager
    def folder(self, path: str) -> Iterator[Path]:
        """A folder of it to read in: the working tree's own, or a temporary copy from git."""
        if self.commit is None:
            yield self.root / path
            return
        with tempfile.TemporaryDirectory() as place:
            packed = git(self.root, "archive", "--format=tar", self.commit, "--", path)
            if packed:
                with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                    archive.extractall(place, filter="data")
            yield Path(place) / path


def named(root: Path, said: str) -> tuple[str, Snapshot]:
    """What ``PATH`` or ``PATH@REVISION`` names: the path from the repository's folder, and the state that it is of.

    Raises:
        Problem: the path lies outside of the repository, or git knows no such revision.
    """
    # A path may have an @ in it; then it is there.
    path, found, revision = (said, "", "") if Path(said).exists() else said.rpartition(SEPARATOR)
    if not found:
        return within(root, Path(said)), Snapshot(root)
    return within(root, Path(path)), Snapshot.at(root, revision)


def within(root: Path, path: Path) -> str:
    """The path from the repository's folder.

    Raises:
        Problem: it lies outside.
    """
    # The path itself is not resolved: DVC may have put a link to its cache in its place.
    whole = Path(os.path.normpath(Path.cwd() / path))
    if whole.is_relative_to(root):
        return whole.relative_to(root).as_posix()
    raise Problem("it lies outside the repository", where=path, mend=f"name something in {root}")


def git(root: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it fails, or is not installed."""
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=True).stdout
    except (subprocess.CalledProcessError, FileNotFoundError):
        return None
