"""High dynamic range as a standard screen shows it, and back.

Of PQ and HLG, code values mean other light than those of ordinary video, over another range and often with other
primaries: a face in them is grey and flat to networks that know ordinary pictures, and a face that was learnt from
ordinary footage has too much colour among them. So whatever looks at frames sees them as a standard screen would, and
a face that is put into one goes the same way back. Frames themselves are never converted.

ITU-R BT.2100-2 defines both; the reference white of 203 cd/m2 and the inverse of a screen's gamma of 2.4 are
BT.2408's. What is brighter than most of a picture is bent towards white, up to :data:`_PEAK`, so that nothing but
glints is lost.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PQ: Final = "smpte2084"
HLG: Final = "arib-std-b67"

_WHITE: Final = 203.0
"""cd/m2 of a white paper."""
_PEAK: Final = 1000.0
"""cd/m2 of what is shown as white: the screen that most is graded for, and HLG's own."""
_GAMMA: Final = 2.4
_KNEE: Final = 0.7
"""Code value from which on highlights are bent."""
_END: Final = (_PEAK / _WHITE) ** (1.0 / _GAMMA)
_BEND: Final = (_END - _KNEE) * (1.0 - _KNEE) / (_END - 1.0)
"""So that the bent line leaves the straight one without a corner and comes to 1 at the peak."""

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_LUMINANCE: Final = np.array([[0.2627, 0.6780, 0.0593]])
_OOTF: Final = 1.2
"""HLG's system gamma on a screen of 1,000 cd/m2."""

_TO_BT709: Final = {
    "bt2020": np.array(
        [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
    ),
    "smpte432": np.array([[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]]),
}
"""Linear light of primaries, by their names, as that of BT.709's; white is D65 in all."""

_STEPS: Final = 65536


def is_hdr(transfer: str) -> bool:
    """Whether code values with this transfer, by FFmpeg's name, are of high dynamic range."""
    return transfer in (PQ, HLG)


def shown(codes: NDArray[np.uint16], transfer: str, primaries: str) -> NDArray[np.uint8]:
    """A picture as a standard screen shows it.

    Args:
        codes: (h, w, 3) uint16 RGB, full range.
        transfer, primaries: of the clip, by FFmpeg's names; the former one of high dynamic range.

    Returns:
        (h, w, 3) uint8 RGB, BT.709's primaries.
    """
    light = _light_of(transfer)[codes]
    if transfer == HLG:  # of the scene: a screen makes light of it by its luminance
        luminance = np.maximum(cv2.transform(light, _LUMINANCE), np.float32(1e-9))
        light = np.asarray(light * cv2.pow(luminance, _OOTF - 1.0)[..., None], np.float32)
    if primaries in _TO_BT709:
        light = np.asarray(cv2.transform(light, _TO_BT709[primaries]), np.float32)
    roots = cv2.sqrt(np.clip(light, 0.0, 1.0))  # of which 65,536 steps are fine enough in the dark, too
    return _curve()[np.asarray(roots * np.float32(_STEPS - 1) + np.float32(0.5), np.uint16)]


def coded(rgb: Floats, transfer: str, primaries: str) -> Floats:
    """The code values by which a clip of high dynamic range shows what a standard screen would.

    Args:
        rgb: (..., 3) float32 RGB 0..1, as :func:`shown` gives it.
        transfer, primaries: of the clip.

    Returns:
        (..., 3) float32 RGB 0..1, full range.
    """
    value = np.clip(np.asarray(rgb, np.float64), 0.0, 1.0)
    above = np.maximum(value - _KNEE, 0.0)
    straight = np.minimum(value, _KNEE) + above / (1.0 - above / _BEND)
    light = straight**_GAMMA * (_WHITE / _PEAK)
    if primaries in _TO_BT709:
        light = np.clip(light @ np.linalg.inv(_TO_BT709[primaries]).T, 0.0, None)
    if transfer == HLG:
        luminance = np.maximum(light @ _LUMINANCE[0], 1e-12)[..., None]
        scene = light * luminance ** (1.0 / _OOTF - 1.0)
        low, high = np.sqrt(3.0 * scene), _A * np.log(np.maximum(12.0 * scene - _B, 1e-12)) + _C
        codes = np.where(scene <= 1.0 / 12.0, low, high)
    else:
        power = (light * (_PEAK / 10000.0)) ** _M1
        codes = ((_C1 + _C2 * power) / (1.0 + _C3 * power)) ** _M2
    return np.asarray(np.clip(codes, 0.0, 1.0), np.float32)


@cache
def _light_of(transfer: str) -> Floats:
    """Linear light of each of 65,536 code values, 1 at the peak: of a screen (PQ), or of the scene (HLG)."""
    codes = np.arange(_STEPS) / (_STEPS - 1.0)
    if transfer == HLG:
        light = np.where(codes <= 0.5, codes**2 / 3.0, (np.exp((codes - _C) / _A) + _B) / 12.0)
    else:
        power = codes ** (1.0 / _M2)
        light = (np.maximum(power - _C1, 0.0) / (_C2 - _C3 * power)) ** (1.0 / _M1) * (10000.0 / _PEAK)
    return np.asarray(light, np.float32)


@cache
def _curve() -> NDArray[np.uint8]:
    """What is shown of light, by 65,536 steps of its square root."""
    value = ((np.arange(_STEPS) / (_STEPS - 1.0)) ** 2 * (_PEAK / _WHITE)) ** (1.0 / _GAMMA)
    above = np.maximum(value - _KNEE, 0.0)
    bent = np.minimum(value, _KNEE) + above / (1.0 + above / _BEND)
    return np.asarray(np.rint(255.0 * np.clip(bent, 0.0, 1.0)), np.uint8)
