"""Looks at a clip's frames; writes that they may be worked on (see docs/trust.md, "Content")."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

from stages.artifacts.frames import Frames
from stages.artifacts.looked_at import LookedAt, place_of
from stages.artifacts.screening import Screening
from stages.consent import require_clip_consent
from stages.novelty import cells_of
from stages.nudity import NETWORK, Nudity, numbers_to_look_at, require_decent, squeezed
from stages.progress import progress
from stages.screening.settings import ScreeningSettings
from stages.settings import Params

log = logging.getLogger(__name__)

_DIGITS = 4
"""Of a score, after the point: further ones differ between machines."""


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
        seen = LookedAt.of([], [], [])
    else:
        seen = looked_at(frames, params.screening, name)
    count = len(seen.frames)
    highest = int(seen.scores.argmax()) if count else None
    Screening(
        clip=name,
        consent=record.id,
        network=NETWORK if count else None,
        looked_at=count,
        highest=None if highest is None else round(float(seen.scores[highest]), _DIGITS),
        frame=None if highest is None else int(seen.frames[highest]),
    ).write(place(name))
    seen.write(place_of(name))


def looked_at(frames: Frames, settings: ScreeningSettings, clip: str) -> LookedAt:
    """What the network says of a clip's frames, a few of each second.

    Raises:
        Problem: one of them shows nudity; the first one is named.
    """
    nudity = Nudity(settings.device, settings.threads)
    chosen = numbers_to_look_at(frames.index, Fraction(frames.facts.time_base), settings.per_second)
    scores, cells = [], []
    for frame in progress(frames.pick(chosen), total=len(chosen), what=f"screening {clip}"):
        picture = squeezed(frame)
        look = nudity.look(frame, picture)
        require_decent(look, settings.threshold, f"clip '{clip}'")
        scores.append(round(look.score, _DIGITS))
        cells.append(cells_of(picture))
    return LookedAt.of(chosen, scores, cells)
