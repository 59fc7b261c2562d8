"""Looks at a clip's file and its person's consent record; writes that the clip may come in."""

from __future__ import annotations

from pathlib import Path

from stages.admission.footage import require_footage
from stages.artifacts.admission import Admission
from stages.consent import require_clip_consent
from stages.settings import Params


def place(clip: str) -> Path:
    """Where the admission of a clip lies."""
    return Path("data/admission") / f"{clip}.json"


def run(name: str, params: Params) -> None:
    """Let a clip in, or say what it lacks and how to mend that.

    DVC looks for a stage's dependencies before it runs the stage, and tells of a missing one in its own words. So
    this stage declares neither the clip's file nor the consent record as a dependency, and comes before those that do.

    Raises:
        Problem: the file is missing, empty or unreadable, or no consent record allows it to train a model today.
    """
    clip = params.clip(name)
    require_footage(name, params)
    record = require_clip_consent(name, params, "admission")
    Admission(clip=name, path=str(clip.path), identity=clip.identity, consent=record.id).write(place(name))
