"""Room for faces: in memory while there is enough of it, else in a file that the system pages in and out."""

from __future__ import annotations

import errno
import logging
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from stages.problems import Problem
from stages.training.memory import free_memory

log = logging.getLogger(__name__)

_SHARE: Final = 0.4
"""Of the free memory that one part of an identity's faces may take: there are two identities and a network."""


def share_of_free(device: torch.device) -> int:
    """Bytes that one part of an identity's faces may take of a device's memory."""
    return int(_SHARE * free_memory(device))


def roomy_array(shape: tuple[int, ...], scratch: Path | None = None, room: int | None = None) -> NDArray[np.uint8]:
    """An array to fill, uint8: in memory if it takes no more than ``room`` bytes, else mapped from a nameless file.

    The file's blocks are taken at once, as a full disk would otherwise end the process when a page is written; macOS
    can not take them, there it is only asked whether they are free. The file has no name, so nothing is left of it
    however the process ends.

    Args:
        shape: of the array.
        scratch: the folder to use on the disk, made if it is missing; None for the system's.
        room: None for a share of the free memory.

    Raises:
        Problem: the disk has no room for it.
    """
    size = math.prod(shape)
    if size <= (room if room is not None else share_of_free(torch.device("cpu"))):
        return np.empty(shape, np.uint8)
    log.info("%d MB of faces are more than the memory should hold: they are mapped from the disk", size >> 20)
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=scratch) as file:  # the mapping keeps it alive
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            elif shutil.disk_usage(file.fileno()).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            else:
                file.truncate(size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise Problem(
                f"{size >> 20} MB of faces fit neither in memory nor on the disk",
                where=scratch or tempfile.gettempdir(),
                mend="free some space, or lower the preset's stored_size",
            ) from error
        return np.memmap(file, np.uint8, mode="r+", shape=shape)
