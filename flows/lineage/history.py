"""What git knows about the code that made a step."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flows.lineage.records import overlap


@dataclass(frozen=True)
class Code:
    """The code of a step.

    Attributes:
        paths: the files and folders that it read as code.
        revision: the commit that the checkout is at, None without git.
        changed: those of the paths that differ from the code that made the step.
        uncommitted: those that differ from the revision.
        recorded: the commit in which dvc.lock got this result, None where that is not committed yet.
    """

    paths: tuple[str, ...]
    revision: str | None
    changed: tuple[str, ...]
    uncommitted: tuple[str, ...]
    recorded: str | None

    @property
    def is_revision(self) -> bool:
        """Whether the code that made the step is that of the revision."""
        return self.revision is not None and not self.changed and not self.uncommitted


class History:
    """The git repository around a folder, as far as there is one."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def revision(self) -> str | None:
        """The commit that the checkout is at."""
        return (self._git("rev-parse", "HEAD") or "").strip() or None

    @cached_property
    def uncommitted(self) -> tuple[str, ...]:
        """The paths in the folder that differ from the revision, new ones included."""
        prefix = (self._git("rev-parse", "--show-prefix") or "").strip()
        listed = self._git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".") or ""
        return tuple(entry[3:].removeprefix(prefix) for entry in listed.split("\0") if entry)

    def recorded(self, md5: str) -> str | None:
        """The commit in which dvc.lock got this hash."""
        return (self._git("log", "-1", "--format=%H", f"-S{md5}", "--", "dvc.lock") or "").strip() or None

    def code(self, paths: Sequence[str], md5: str, changed: Sequence[str]) -> Code:
        """What is known of the code that made an output.

        Args:
            paths: what the step read as code.
            md5: the output's hash.
            changed: those of the step's inputs that are no longer as they were.
        """
        return Code(
            tuple(paths),
            self.revision,
            tuple(path for path in paths if path in changed),
            tuple(path for path in paths if any(overlap(path, other) for other in self.uncommitted)),
            self.recorded(md5),
        )

    def _git(self, *arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(self.root), *arguments], capture_output=True, text=True, check=True)
        except (subprocess.CalledProcessError, FileNotFoundError):
            return None
        return done.stdout
