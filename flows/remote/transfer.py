"""What goes to and from the DVC remote, by DVC's own commands in processes of their own."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from flows.children import Children
from flows.pipeline import opened
from flows.stage import ADVICE, StageFailed, environment
from stages.problems import Problem

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

FLAGS: Final[dict[str, tuple[str, ...]]] = {"push": (), "pull": ("--force",)}
"""A former result that lies where one is pulled to makes way, as it does when a stage runs."""


def transfer(
    direction: Literal["push", "pull"],
    addresses: Sequence[str],
    remote: str,
    root: Path,
    children: Children,
    logger: Logger,
) -> None:
    """Push or pull the results of some stages.

    Raises:
        StageFailed: DVC could not; that can pass, as a network's faults do.
        Stopped: the run was stopped.
    """
    if not addresses:
        return
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", direction, "--remote", remote]
    lines: list[str] = []

    def on_line(line: str) -> None:
        if not ADVICE.search(line):
            lines.append(line)

    status = children.run([*command, *FLAGS[direction], *addresses], cwd=root, on_line=on_line, env=environment())
    if status != 0:
        told = [line for line in lines if line.startswith("ERROR: ")] or lines[-3:]
        words = "\n".join(line.removeprefix("ERROR: ") for line in told)
        raise StageFailed(", ".join(addresses), f"dvc {direction}: {words}", may_pass=True)
    logger.info("dvc %s %s: %s", direction, ", ".join(addresses), lines[-1] if lines else "done")


def transfer_here(
    direction: Literal["push", "pull"], addresses: Sequence[str], remote: str, root: Path, logger: Logger
) -> None:
    """As :func:`transfer`, in this process, where no other thread may work with DVC: a DVC of its own takes seconds.

    Raises:
        StageFailed: DVC could not; that can pass, as a network's faults do.
    """
    if not addresses:
        return
    options = {"force": True} if direction == "pull" else {}
    with opened(root) as repo:
        try:
            done = getattr(repo, direction)(targets=list(addresses), remote=remote, **options)
        except Exception as error:  # whatever the client of a store raises
            raise StageFailed(", ".join(addresses), f"dvc {direction}: {error}", may_pass=True) from error
    moved = done if isinstance(done, int) else done["stats"].get("fetched", 0)
    logger.info("dvc %s %s: %d files", direction, ", ".join(addresses), moved)


def require(root: Path, remote: str) -> None:
    """Raises: Problem if this clone has no remote of this name."""
    with opened(root) as repo:
        known = sorted(repo.config["remote"])
    if remote not in known:
        raise Problem(
            f"there is no DVC remote '{remote}' (there is: {', '.join(known) or 'none'})",
            where=root / ".dvc" / "config",
            mend=f"dvc remote add {remote} s3://bucket/folder, and commit .dvc/config for the workers",
        )
