"""sRGB code values and linear light (IEC 61966-2-1), and the film-like curve that leads from one to the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_linear(code: NDArray[np.floating]) -> NDArray[np.floating]:
    """sRGB code values 0..1 to linear light 0..1."""
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light to sRGB code values, clipped to 0..1."""
    linear = np.clip(linear, 0.0, 1.0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1.0 / 2.4) - 0.055)


def develop(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light, any brightness, to sRGB code values 0..1 through a film-like curve.

    The curve is straight in the shadows and rolls off exponentially towards white, as negative film's shoulder does,
    so that highlights on skin keep their colour; middle grey (0.18) comes out at code 0.46.
    """
    return to_srgb(1.0 - np.exp(-1.06 * np.maximum(linear, 0.0)))
