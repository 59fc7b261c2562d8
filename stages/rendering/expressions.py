"""The channels that a performance is written in, and the expression units that each drives."""

from __future__ import annotations

from collections.abc import Mapping


def _both(unit: str, amount: float = 1.0) -> dict[str, float]:
    return {f"{unit}Left": amount, f"{unit}Right": amount}


CHANNELS: dict[str, dict[str, float]] = {
    "jaw": {"jawOpen": 1.0},
    "lips": {**_both("mouthUpperUp", 0.6), **_both("mouthLowerDown")},
    "smile": {**_both("mouthSmile"), **_both("cheekSquint", 0.5), **_both("eyeSquint", 0.25)},
    "stretch": _both("mouthStretch"),
    "pucker": {"mouthPucker": 1.0},
    "funnel": {"mouthFunnel": 1.0},
    "press": {**_both("mouthPress"), "mouthRollUpper": 0.3, "mouthRollLower": 0.3},
    "tuck": {"mouthRollLower": 1.0, **_both("mouthUpperUp", 0.4)},
    "frown": _both("mouthFrown"),
    "sneer": _both("noseSneer"),
    "blink_right": {"eyeBlinkRight": 1.0},
    "blink_left": {"eyeBlinkLeft": 1.0},
    "squint": _both("eyeSquint"),
    "wide": _both("eyeWide"),
    "brows_up": {"browInnerUp": 0.8, **_both("browOuterUp")},
    "brows_down": _both("browDown"),
}
"""Channel (0..1) -> ARKit unit -> its share."""

VISEMES: dict[str, dict[str, float]] = {
    "aa": {"jaw": 0.50, "lips": 0.35},
    "eh": {"jaw": 0.32, "lips": 0.35, "stretch": 0.25},
    "iy": {"jaw": 0.14, "lips": 0.35, "stretch": 0.25, "smile": 0.25},
    "ow": {"jaw": 0.34, "funnel": 0.55, "pucker": 0.15},
    "uw": {"jaw": 0.12, "funnel": 0.25, "pucker": 0.65},
    "mb": {"press": 0.45},
    "fv": {"jaw": 0.06, "tuck": 0.45},
    "td": {"jaw": 0.13, "lips": 0.28},
    "sh": {"jaw": 0.08, "lips": 0.2, "funnel": 0.5},
    "rest": {},
}
"""Mouth shapes of speech as channel values: five vowels, four groups of consonants, silence."""

VOWELS = ("aa", "eh", "iy", "ow", "uw")
CONSONANTS = ("mb", "fv", "td", "td", "sh")


def units_of(channels: Mapping[str, float]) -> dict[str, float]:
    """Expression units (0..1, clipped) of channel values; unknown keys are refused with a KeyError."""
    units: dict[str, float] = {}
    for channel, value in channels.items():
        for unit, share in CHANNELS[channel].items():
            units[unit] = units.get(unit, 0.0) + share * value
    return {unit: min(max(amount, 0.0), 1.0) for unit, amount in units.items()}
