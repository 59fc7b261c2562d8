"""The frames that the report shows: some spread evenly, and the worst by each figure.

Which are the worst is known only at the end, and no frame is decoded twice: so the stills of all frames that are
measured in full are kept as JPEG, at most ``evaluation.frames`` times six small pictures, however long the clip is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stages.artifacts.face_set import FaceSet, clips_of
from stages.evaluation.measuring import Measured
from stages.evaluation.plots import worst_frames
from stages.evaluation.sampling import spread
from stages.evaluation.settings import EvaluationSettings
from stages.evaluation.stills import Still
from stages.evaluation.views import Picture

_MOUTH = 60.0
"""Degrees of turn that a mouth which is open by the distance of the eyes counts as much as."""


class Album:
    """Collects stills.

    Args:
        settings: how large they are, and how many are shown.
        source_faces: folder of the source's face sets.
    """

    def __init__(self, settings: EvaluationSettings, source_faces: Path) -> None:
        self._settings = settings
        self._sets = [FaceSet.read(clip) for clip in clips_of(source_faces)]
        columns = ["yaw", "pitch", "mouth_open"]
        self._known = pd.concat(
            [
                each.index[columns].assign(which=which, row=range(len(each.index)))
                for which, each in enumerate(self._sets)
            ]
        )
        self._stills: dict[int, Still] = {}

    def add(self, measured: Measured) -> None:
        """Keep the still of a frame."""
        view, settings = measured.view, self._settings
        source = self._source_like(
            *(float(measured.row[f"{name}_copied_target"]) for name in ("yaw", "pitch", "mouth"))
        )
        still = Still.of(view, measured.row, source, settings.picture_width, settings.picture_quality)
        self._stills[view.number] = still

    def _source_like(self, yaw: float, pitch: float, mouth: float) -> Picture:
        """The source's face whose pose and mouth are nearest."""
        known = self._known
        away = (known["yaw"] - yaw) ** 2 + (known["pitch"] - pitch) ** 2 + ((known["mouth_open"] - mouth) * _MOUTH) ** 2
        nearest = known.iloc[int(np.argmin(away.to_numpy()))]
        faces = self._sets[int(nearest["which"])]
        return np.asarray(faces.crops(faces.index.iloc[[int(nearest["row"])]])[0], np.uint8)

    def chosen(self, frames: pd.DataFrame) -> list[Still]:
        """At most ``evaluation.pictures`` stills in order: the worst ones, then others spread evenly."""
        numbers = sorted(self._stills)
        full = frames[frames["frame"].isin(numbers)]
        wanted = self._settings.pictures
        worst = list(dict.fromkeys(worst_frames(full).values()))[: (wanted + 1) // 2]
        rest = [number for number in numbers if number not in worst]
        kept = {*worst, *(rest[place] for place in spread(len(rest), wanted - len(worst)))}
        return [self._stills[number] for number in sorted(kept)]
