"""Looks at a clip's frames; writes that they may be worked on (see docs/trust.md, "Content")."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.artifacts.looked_at import LookedAt, place_of
from stages.artifacts.screening import Screening
from stages.consent import require_clip_consent
from stages.novelty import cells_of
from stages.nudity import NETWORK, Look, Nudity, numbers_to_look_at, require_decent, squeezed
from stages.progress import progress
from stages.screening.settings import ScreeningSettings
from stages.settings import Params

log = logging.getLogger(__name__)


def place(clip: str) -> Path:
    """Where the screening of a clip lies."""
    return Path("data/screening") / f"{clip}.json"


def run(name: str, params: Params) -> None:
    """Let a clip's frames be worked on, or say which of them shows nudity.

    It comes right after extraction: whatever looks at faces, and all that is trained or made, comes below it.

    Raises:
        Problem: no consent; a frame that was looked at shows nudity.
    """
    record = require_clip_consent(name, params, "screening")
    frames = Frames.read(Path("data/extraction") / name)
    if params.screening.nudity == "ignore":
        log.warning("%s: not looked at, since screening.nudity is 'ignore'", name)
        found: list[Look] = []
        cells: list[NDArray[np.uint8]] = []
    else:
        found, cells = looks(frames, params.screening, name)
    highest = max(found, key=lambda look: look.score, default=None)
    Screening(
        clip=name,
        consent=record.id,
        network=NETWORK if found else None,
        looked_at=len(found),
        highest=round(highest.score, 4) if highest else None,
        frame=highest.frame if highest else None,
    ).write(place(name))
    # rounded, as their last digits differ between machines
    scores = [round(look.score, 4) for look in found]
    LookedAt.of([look.frame for look in found], scores, cells).write(place_of(name))


def looks(frames: Frames, settings: ScreeningSettings, clip: str) -> tuple[list[Look], list[NDArray[np.uint8]]]:
    """What the network says of a clip's frames, a few of each second, and these frames as :func:`cells_of` has them.

    Raises:
        Problem: one of them shows nudity; the first one is named.
    """
    nudity = Nudity(settings.device, settings.threads)
    chosen = numbers_to_look_at(frames.index, Fraction(frames.facts.time_base), settings.per_second)
    found, cells = [], []
    for frame in progress(frames.pick(chosen), total=len(chosen), what=f"screening {clip}"):
        picture = squeezed(frame)
        look = nudity.look(frame, picture)
        require_decent(look, settings.threshold, f"clip '{clip}'")
        found.append(look)
        cells.append(cells_of(picture))
    return found, cells
