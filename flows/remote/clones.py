"""The clone of a worker: brought to the revision of an order, if nothing is lost by that, and kept there meanwhile."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock

from flows import books
from flows.remote.entries import LOCK
from flows.stage import StageFailed
from stages.problems import Problem


def git(root: Path, *arguments: str) -> str:
    """Run git in a folder, for what it prints.

    Raises:
        Problem: it fails.
    """
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(done.stderr.strip(), where=root, mend=f"see what `git {' '.join(arguments)}` wants")
    return done.stdout


WHERE_A_RUN_BEGINS: Final = "commit and push it, then run again: workers make what git has"


def revision_of(root: Path, made: frozenset[str]) -> str:
    """The commit that workers can make what is here by.

    Args:
        root: the repository's folder.
        made: paths that stages write and git tracks: they may differ from the commit.

    Raises:
        Problem: something else that git tracks differs from the commit.
    """
    changed = changes(root, made)
    if changed:
        raise Problem(f"changed since the last commit: {', '.join(changed)}", where=root, mend=WHERE_A_RUN_BEGINS)
    return git(root, "rev-parse", "HEAD").strip()


def changes(root: Path, made: frozenset[str]) -> list[str]:
    """Tracked files that differ from the commit, but for dvc.lock and what stages write."""
    told = git(root, "status", "--porcelain", "--no-renames", "--untracked-files=no", "-z", "--", ".").split("\0")
    prefix = git(root, "rev-parse", "--show-prefix").strip()  # of a project in a folder of its repository
    paths = [line[3:].removeprefix(prefix) for line in told if line]
    return [path for path in paths if path != LOCK and path not in made]


@contextmanager
def brought(root: Path, revision: str, made: frozenset[str], books_at: Path) -> Iterator[None]:
    """Bring a worker's clone to a revision, and keep it there for as long as the block lasts.

    Args:
        root: the clone's folder.
        revision: the commit, in full.
        made: paths that stages write and git tracks.
        books_at: ``Repo.tmp_dir``.

    Raises:
        Problem: the clone was changed by hand, or its origin does not have the revision.
        StageFailed: another revision is at work in it.
    """
    with (books_at / "likeness-at-work.lock").open("a") as at_work:
        # Whoever wants either kind of the inner lock has the outer one: nobody comes between reset and use.
        with FileLock(books_at / "likeness-revision.lock"):
            if git(root, "rev-parse", "HEAD").strip() != revision:
                try:
                    fcntl.flock(at_work, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise _busy(root, revision) from None
                _reset(root, revision, made, books_at)
            fcntl.flock(at_work, fcntl.LOCK_SH)
        yield


def _reset(root: Path, revision: str, made: frozenset[str], books_at: Path) -> None:
    if books.writers(books_at):  # of a run that was killed: its stage ends a moment later
        raise _busy(root, revision)
    changed = changes(root, made)
    if changed:
        mend = "a worker's clone is its own: put them back (git checkout .), and work elsewhere"
        raise Problem(f"changed by hand: {', '.join(changed)}", where=root, mend=mend)
    if subprocess.run(["git", "cat-file", "-e", revision], cwd=root, capture_output=True, check=False).returncode:
        git(root, "fetch", "--quiet", "origin")
    # dvc.lock and metrics of the former revision: whoever ordered them has them
    git(root, "reset", "--quiet", "--hard", revision)


def _busy(root: Path, revision: str) -> StageFailed:
    return StageFailed(revision, f"{root}: a stage of another revision is at work here", may_pass=True)
