"""What passes before a face and stays the target's, as the network of :mod:`stages.visible_face` sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.compositing.masks import Mask
from stages.compositing.settings import MaskSettings
from stages.video import NativeFrame
from stages.visible_face import NETWORK, PLACE, SIZE, VisibleFace

Picture = NDArray[np.uint8]

_SURELY_HIDDEN: Final = 0.35
_SURELY_SEEN: Final = 0.65
"""How surely the network must see what is before a face for it to stay, or the face for it to be replaced; in between
the edge is soft. An edge of the network is wider than that of a thing: this is about as wide as a pixel of its crop."""

_SPECK: Final = 0.0015
"""Share of the crop up to which something alone is no thing before a face but a doubt: a mole, a tooth, a highlight."""


def network_for(settings: MaskSettings) -> VisibleFace | None:
    """The network, where the settings ask for it.

    Raises:
        Problem: it is missing or damaged.
    """
    return VisibleFace.open() if settings.occlusion == "network" else None


def network_files(settings: MaskSettings) -> tuple[Path, ...]:
    """What :func:`network_for` reads."""
    return (PLACE / NETWORK,) if settings.occlusion == "network" else ()


def visible_in(picture: Picture, transform: NDArray[np.float64], network: VisibleFace) -> Mask:
    """How surely each pixel of a crop shows the face.

    Args:
        picture: the frame, (h, w, 3) uint8 RGB.
        transform: (2, 3), frame pixels to the unit crop.

    Returns:
        (SIZE, SIZE) float32, as :meth:`stages.visible_face.VisibleFace.look` has it.
    """
    return np.asarray(network.look(geometry.crop(picture, transform, SIZE)[None])[0], np.float32)


def each_visible(pictures: Iterable[NativeFrame], faces: pd.DataFrame, network: VisibleFace) -> Iterator[Mask]:
    """:func:`visible_in` of every face of a table in order, by frame and face; one frame is in memory.

    Args:
        pictures: ascending; all frames of the faces are among them.
        faces: the table.
        network: that looks.
    """
    transforms = [geometry.as_matrix(np.asarray(row, np.float64)) for row in faces["transform"]]
    numbers = faces["frame"].tolist()
    row = 0
    for frame in pictures:
        if row == len(numbers):
            return
        if frame.number != numbers[row]:
            continue
        picture = frame.rgb()
        while row < len(numbers) and numbers[row] == frame.number:
            yield visible_in(picture, transforms[row], network)
            row += 1


def kept_free(visible: Mask, size: int) -> Mask:
    """Where a face may be replaced: 0 on what passes before it, 1 on the face, with an edge as soft as a thing's own.

    Args:
        visible: (s, s) float32, how surely the face is seen.
        size: side of the result in pixels.

    Returns:
        (size, size) float32 in [0, 1].
    """
    finer = cv2.resize(_without_specks(visible), (size, size), interpolation=cv2.INTER_LINEAR)
    share = np.clip((finer - _SURELY_HIDDEN) / (_SURELY_SEEN - _SURELY_HIDDEN), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def _without_specks(visible: Mask) -> Mask:
    """The same with whatever is hidden alone, in a speck, seen."""
    hidden = (visible < 0.5).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(hidden, connectivity=8)
    small = [one for one in range(1, count) if statistics[one, cv2.CC_STAT_AREA] < _SPECK * visible.size]
    if not small:
        return visible
    speck = np.isin(labels, small)
    # its soft rim with it, but nothing of its neighbours
    rim = cv2.dilate(speck.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return np.where(rim & ((labels == 0) | speck), np.maximum(visible, np.float32(_SURELY_SEEN)), visible)
