"""The converted face continued over what its picture shows beside it: the source's hair, and its background."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.compositing.masks import Mask, inner_edge

Floats = NDArray[np.float32]

_RIM, _EDGE = 0.03, 0.04
"""Shares of the face size: of how deep inside a face is no more believed, since a decoder's hairline is as soft and the
skin before it the darker for it, and over which the face gives way to its continuation then."""

_LEAST = 0.25
"""Share of the face size, squared, that must be shown."""


def surely_shown(shown: Mask, size: float) -> Mask | None:
    """Where a converted crop shows the face, short of a rim, (s, s) float32 in [0, 1].

    Args:
        shown: (s, s) float32 in [0, 1], how surely the crop shows a face.
        size: of the face as a share of the crop's side, 0 or more.

    Returns:
        None if less than ``_LEAST`` of the face is shown: then the network did not know the picture for a face, and
        nothing follows from what it says.
    """
    pixels = size * shown.shape[0]
    sure = inner_edge(shown, _RIM * pixels, _EDGE * pixels)
    return None if sure is None or float(sure.sum()) < _LEAST * pixels**2 else sure


def continued(rgb: Floats, shown: Mask, size: float) -> Floats:
    """A converted crop whose colours go on where it shows no face.

    Two hairlines never meet. Where the source's reaches further into the temples than the target's, its hair would
    stand there as a dark streak beside the target's own, and blending by bands of detail would draw it in however the
    mask ended. So the face is continued there, from coarse to fine (pull and push, Gortler et al. 1996).

    Args:
        rgb: (r, r, 3) float32.
        shown: (s, s) float32 in [0, 1], how surely the crop shows a face.
        size: of the face as a share of the crop's side, 0 or more.

    Returns:
        (r, r, 3) float32; as ``rgb`` where it shows a face, and everywhere if that is not known.
    """
    sure = surely_shown(shown, size)
    if sure is None or float(sure.min()) == 1.0:
        return rgb
    # what is continued is smooth: it is found at the size at which the network looked, whatever the model's
    small = _resized(rgb, shown.shape[0])
    beside = _resized(_pulled_and_pushed(small * sure[..., None], sure), rgb.shape[0])
    own = _resized(sure, rgb.shape[0])[..., None]
    return np.asarray(beside + own * (rgb - beside), np.float32)


def _resized(picture: Floats, side: int) -> Floats:
    """A square picture, the same if it has this side."""
    way = cv2.INTER_AREA if picture.shape[0] > side else cv2.INTER_LINEAR
    return picture if picture.shape[0] == side else np.asarray(cv2.resize(picture, (side, side), interpolation=way))


def _pulled_and_pushed(colours: Floats, weights: Mask) -> Floats:
    """Colours that were multiplied by weights, with what coarser levels say where the weights are below 1."""
    if min(weights.shape) < 4:
        total = float(weights.sum())
        mean = colours.sum(axis=(0, 1)) / max(total, 1e-6)
        return np.asarray(colours + (1.0 - weights)[..., None] * mean, np.float32)
    low, share = cv2.pyrDown(colours), cv2.pyrDown(weights)
    more = np.minimum(1.0, 4.0 * share) / np.maximum(share, 1e-6)  # a pixel in four is enough to know a coarser one
    coarse = _pulled_and_pushed(np.asarray(low * more[..., None], np.float32), np.asarray(share * more, np.float32))
    raised = cv2.pyrUp(coarse, dstsize=(weights.shape[1], weights.shape[0]))
    return np.asarray(colours + (1.0 - weights)[..., None] * raised, np.float32)
