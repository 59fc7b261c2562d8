"""Reads what a person wrote about a clip; writes each kind of decision apart (docs/decisions.md)."""

from __future__ import annotations

from pathlib import Path

from stages.artifacts.decisions import DECIDED, KINDS
from stages.atomic import whole_folder
from stages.decisions.handwritten import read_handwritten, require_known_names
from stages.settings import Params


def place(clip: str) -> Path:
    """Where the decisions about a clip lie, for stages to read."""
    return DECIDED / clip


def run(name: str, params: Params) -> None:
    """Take over the hand decisions about a clip, each kind in a file of its own.

    DVC takes no dependency that may be missing, and most clips have no decisions. So this stage depends on the folder
    that holds them all; the stages that apply them depend on one kind of one clip, which is always there, and run
    again only if that has changed.

    Raises:
        Problem: the file is not well formed, or one in the folder is about no clip.
    """
    params.clip(name)
    require_known_names(params.clips)
    decisions = read_handwritten(name)
    with whole_folder(place(name)) as folder:
        for kind in KINDS:
            decisions.only(kind).write(folder, kind)
