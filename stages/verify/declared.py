"""What a file's plain metadata says of AI. Anybody can write it and anybody can remove it, so it proves nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av

from stages.disclosure import DISCLOSURE

_FIELDS: Final = ("aigc", "digitalsourcetype")
"""China's field (GB 45438-2025) and IPTC's digital source type, in small letters; Matroska writes large ones."""


def declared_in(path: Path) -> dict[str, str]:
    """The fields of a video's container that tell of AI, by their names; empty if there are none, or it is no video."""
    if not path.is_file():
        return {}
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            said = dict(container.metadata)
    except (av.FFmpegError, OSError, ValueError):
        return {}
    return {
        name: value
        for name, value in said.items()
        if name.lower() in _FIELDS or (name.lower() == "comment" and value == DISCLOSURE)
    }
