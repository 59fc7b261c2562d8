"""What stands out of focus behind a performer: a wall with light on it, a room, or lights in the dark."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stages.rendering import noise
from stages.rendering.colour import to_linear

F32 = NDArray[np.float32]


def backdrop(seed: int, height: int, width: int) -> F32:
    """A defocused background, (height, width, 3) float32 linear RGB 0..about 2; same seed, same bytes."""
    rng = noise.generator(seed, "background")
    kind = int(rng.integers(3))
    # painted small and enlarged: it is out of focus anyway, and so looks alike at every size
    small_height = 144
    small_width = max(16, round(small_height * width / height))
    y, x = np.mgrid[0:small_height, 0:small_width].astype(np.float32) / small_height
    picture = (_wall, _room, _lights)[kind](rng, x, y)
    grain = noise.fractal(np.stack([x, y, np.zeros_like(x)], -1), 3.0, salt=noise.salt(seed, "plaster"), octaves=4)
    picture = picture * (1.0 + 0.05 * grain[..., None])
    soft = cv2.GaussianBlur(np.ascontiguousarray(picture, np.float32), (0, 0), 0.6)
    large = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.maximum(large, 0.0).astype(np.float32)


def _muted(rng: np.random.Generator, low: float, high: float) -> NDArray[np.float64]:
    """A muted colour, linear."""
    grey = rng.uniform(low, high)
    return np.asarray(to_linear(np.clip(grey + rng.uniform(-0.11, 0.11, 3), 0.03, 0.95)), np.float64)


def _wall(rng: np.random.Generator, x: F32, y: F32) -> F32:
    """A plain wall with a pool of light and darker corners."""
    colour = _muted(rng, 0.25, 0.65)
    centre = rng.uniform(0.1, x.max() - 0.1), rng.uniform(0.0, 0.6)
    pool = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / rng.uniform(0.2, 0.7))
    light = 0.45 + rng.uniform(0.4, 1.0) * pool - 0.15 * y
    return np.asarray(colour * light[..., None], np.float32)


def _room(rng: np.random.Generator, x: F32, y: F32) -> F32:
    """A wall with a window or a door frame, shelves and furniture as soft blocks."""
    picture = _wall(rng, x, y)
    for _ in range(int(rng.integers(4, 9))):
        left, top = rng.uniform(-0.2, x.max()), rng.uniform(-0.2, 0.9)
        wide, high = rng.uniform(0.08, 0.5), rng.uniform(0.1, 0.7)
        edge = rng.uniform(0.015, 0.05)
        inside = (
            _soft(x - left, edge) * _soft(left + wide - x, edge) * _soft(y - top, edge) * _soft(top + high - y, edge)
        )
        colour = _muted(rng, 0.12, 0.6) * rng.uniform(0.5, 1.2)
        picture = picture * (1 - inside[..., None]) + colour * inside[..., None]
    if rng.random() < 0.6:
        left, top, wide, high = (
            rng.uniform(0.0, x.max() - 0.2),
            rng.uniform(-0.1, 0.2),
            rng.uniform(0.2, 0.45),
            rng.uniform(0.3, 0.6),
        )
        pane = _soft(x - left, 0.03) * _soft(left + wide - x, 0.03) * _soft(y - top, 0.03) * _soft(top + high - y, 0.03)
        bar = 1.0 - 0.7 * np.exp(-(((x - left - wide / 2) / 0.012) ** 2))
        glow = np.exp(-((np.maximum(0, np.abs(x - left - wide / 2) - wide / 2) ** 2) / 0.03))
        day = np.array([0.80, 0.95, 1.10]) * rng.uniform(0.8, 1.5)
        picture = picture * (1 - (pane * bar)[..., None]) + day * (pane * bar)[..., None] + 0.06 * day * glow[..., None]
    return np.asarray(cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), rng.uniform(2.0, 4.0)), np.float32)


def _lights(rng: np.random.Generator, x: F32, y: F32) -> F32:
    """A dim place with discs of bokeh."""
    picture = cv2.GaussianBlur(_room(rng, x, y) * 0.35, (0, 0), 5.0)
    for _ in range(int(rng.integers(10, 26))):
        centre = rng.uniform(-0.1, x.max() + 0.1), rng.uniform(-0.1, 0.8)
        radius = rng.uniform(0.025, 0.075)
        distance = np.hypot(x - centre[0], y - centre[1]) / radius
        disc = _soft(1.0 - distance, 0.08) * (0.75 + 0.35 * np.clip(distance, 0, 1) ** 4)
        warm = rng.uniform(0.0, 1.0)
        colour = np.array([1.0, 0.75 + 0.2 * warm, 0.45 + 0.6 * (1 - warm)]) * rng.uniform(0.10, 0.55)
        picture = picture + colour * disc[..., None]
    return np.asarray(picture, np.float32)


def _soft(distance: F32, width: float) -> F32:
    """0 to 1 across an edge of the given width."""
    t = np.clip(distance / width * 0.5 + 0.5, 0.0, 1.0)
    return np.asarray((t * t * (3 - 2 * t)).astype(np.float32), np.float32)
