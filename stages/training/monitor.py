"""A log for TensorBoard beside the checkpoint, if the package ``tensorboard`` is there; no result depends on it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stages.training.state import Progress

log = logging.getLogger(__name__)


class Monitor:
    """Writes the curve and the preview as TensorBoard shows them. To be used as a context, which closes the log.

    A run that goes on after a kill adds a file to the log, whose first event tells TensorBoard to forget what the
    killed one had logged beyond its checkpoint; so does one that breaks off in the middle of an event. Everything is
    on the disk when a method returns.

    Args:
        folder: of the log.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None
        self._class = _summary_writer()

    def note(self, progress: Progress) -> None:
        """Log the curve's last row; in a folder without a log yet, those before too."""
        with self._no_reason_to_stop():
            if self._class is None:
                return
            rows = progress.curve[-1:]
            if self._writer is None:
                goes_on = self._folder.is_dir()
                rows = rows if goes_on else progress.curve
                self._writer = self._class(str(self._folder), purge_step=progress.iteration if goes_on else None)
            for row in rows:
                self._add(row)
            self._writer.flush()

    def show(self, progress: Progress, picture: NDArray[np.uint8]) -> None:
        """Log a picture (h, w, 3) uint8 RGB at the present iteration; a row must have been noted before."""
        with self._no_reason_to_stop():
            if self._writer is not None:
                self._writer.add_image("preview", picture, progress.iteration, dataformats="HWC")
                self._writer.flush()

    def _add(self, row: Mapping[str, float]) -> None:
        step = int(row["iteration"])
        for name, value in row.items():
            if name != "iteration":
                self._writer.add_scalar(_tag(name), value, step)

    @contextmanager
    def _no_reason_to_stop(self) -> Iterator[None]:
        """Give up the log, not the training, if it can not be written."""
        try:
            yield
        except OSError as error:
            log.warning("the log for TensorBoard ends here: %s", error)
            self._class = self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._no_reason_to_stop():
            if self._writer is not None:
                self._writer.close()


def _tag(column: str) -> str:
    """Where TensorBoard shows a column of the curve: ``held_out_ada`` at ``held-out/ada``, beside those of its kind."""
    for prefix, group in (("held_out_", "held-out"), ("train_", "train")):
        if column.startswith(prefix):
            return f"{group}/{column.removeprefix(prefix)}"
    return column


def _summary_writer() -> Any:
    """The class that writes a log; None if TensorBoard is not installed, which is told once a run."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        log.info("to watch the training in TensorBoard: `pip install tensorboard` (see docs/architecture.md)")
        return None
    return SummaryWriter
