"""Asks again and again while a model is trained whether the people in it still agree."""

from __future__ import annotations

import time
from collections.abc import Callable

from stages.problems import Problem

SECONDS = 10.0
"""Between two looks at least; one takes some milliseconds. No influence on the result."""


class ConsentEnded(Problem):
    """Consent was withdrawn, ran out or was changed while a model was being trained."""


class ConsentWatch:
    """Called often, looks now and then.

    Args:
        ask: raises Problem if there is no consent any more.
    """

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask, self._looked = ask, time.monotonic()

    def __call__(self) -> None:
        """Look, if it is time.

        Raises:
            ConsentEnded: as said.
        """
        if time.monotonic() - self._looked >= SECONDS:
            self.look()

    def look(self) -> None:
        """Look now.

        Raises:
            ConsentEnded: as said.
        """
        self._looked = time.monotonic()
        try:
            self._ask()
        except Problem as problem:
            raise ConsentEnded(problem.what, where=problem.where, mend=problem.mend) from problem
