"""What git knows about the code that made a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from flows.lineage.records import LOCK, overlap
from flows.lineage.snapshot import Snapshot, git


@dataclass(frozen=True)
class Code:
    """The code of a step.

    Attributes:
        paths: the files and folders that it read as code.
        revision: the commit that was asked for, or that the checkout is at; None without git.
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
    """What git knows around a state of the project, as far as there is a repository."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.root, self.snapshot = snapshot.root, snapshot

    @cached_property
    def revision(self) -> str | None:
        """The commit that was asked for, or that the checkout is at."""
        return self.snapshot.commit or (self._git("rev-parse", "HEAD") or "").strip() or None

    @cached_property
    def uncommitted(self) -> tuple[str, ...]:
        """The paths in the folder that differ from the revision, new ones included."""
        if self.snapshot.commit is not None:
            return ()
        listed = self._git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".") or ""
        return tuple(entry[3:].removeprefix(self.snapshot.prefix) for entry in listed.split("\0") if entry)

    def recorded(self, md5: str) -> str | None:
        """The commit in which dvc.lock got this hash."""
        if self.revision is None:
            return None
        found = self._git("log", "-1", "--format=%H", f"-S{md5}", self.revision, "--", LOCK)
        return (found or "").strip() or None

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
        said = git(self.root, *arguments)
        return None if said is None else said.decode()
