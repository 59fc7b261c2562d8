"""The one error that a user sees: what is wrong, where, and how to mend it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path

BAD_INPUT = 2
"""Exit status of a stage that refused its input: trying again cannot help (flows do not retry it)."""
OUT_OF_ORDER = 75
"""Exit status of a stage that a service failed (EX_TEMPFAIL of BSD's sysexits): flows try it again."""


class Problem(Exception):
    """Bad input or surroundings, told as one message.

    Args:
        what: what is wrong, one sentence.
        where: the file, or the field of params.yaml as a dotted path, that is at fault.
        mend: what the user can do about it.
    """

    status = BAD_INPUT
    """Exit status of a program that ends with it."""

    def __init__(self, what: str, *, where: str | Path, mend: str) -> None:
        self.what = what
        self.where = str(where)
        self.mend = mend
        super().__init__(f"{self.where}: {what}\n  mend: {mend}")

    def __reduce__(self) -> tuple[Callable[[], Problem], tuple[()]]:
        """Let it be raised in a worker process and caught by the one that waits."""
        return partial(type(self), self.what, where=self.where, mend=self.mend), ()


class Outage(Problem):
    """A service elsewhere that does not do its part now, and may do it later."""

    status = OUT_OF_ORDER


def nearest(name: str, known: list[str]) -> str:
    """A half-sentence that names what may have been meant, or what there is to choose from."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"known: {', '.join(sorted(known))}" if known else "there are none yet"


@contextmanager
def told_as_problem(where: Path) -> Iterator[None]:
    """Turn the faults of a disk into a :class:`Problem` that says which path and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Problem(
                "the disk is full; nothing half-written was kept",
                where=where,
                mend="free some space (`dvc gc -w` drops cached results that no settings use any more), run again",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            culprit = Path(error.filename) if isinstance(error.filename, str) else where
            # half of the result has a name that nobody knows; either path may be told from here or from the root
            if culprit.absolute().is_relative_to(where.parent.absolute()):
                raise Problem("it can not be written", where=where, mend="check the folder's permissions") from error
            raise Problem("it can not be read or written", where=culprit, mend="check its permissions") from error
        raise
