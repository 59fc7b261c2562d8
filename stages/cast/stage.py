"""Reads the companions of params.yaml; writes which of them a pair has (docs/architecture.md, "cast")."""

from __future__ import annotations

from stages.artifacts.cast import write_cast
from stages.settings import Params


def run(name: str, params: Params) -> None:
    """Write down which companions a pair has, mostly none.

    DVC takes no dependency that may be missing, and most pairs have no companion. So training depends on the pair's
    folder, in which this stage always leaves a file, and the stage ``companions`` one for each companion.

    Raises:
        Problem: there is no such pair; the disk is full.
    """
    params.pair(name)
    write_cast(name, params.companions_of(name))
