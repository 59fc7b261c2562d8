"""What lenses, scaling and codecs do to pictures, to each of a batch in its own measure.

Pictures are (n, c, h, w) float32 0..1. A picture's measure is a tensor, so that chance is never waited for.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from stages.training.constants import constant

_BLOCK = 8
_MACROBLOCK = 2 * _BLOCK
"""Side of what one chroma block covers, pixels (4:2:0)."""

_LUMA_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA_STEPS = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * _BLOCK,) * 4,
)
"""Steps of the coefficients at quality 50, for values 0..255: ITU-T T.81, annex K, tables K.1 and K.2."""

_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))
"""RGB to luma and the two differences of colour, and back (ITU-T T.871, JFIF)."""


def smear(pictures: Tensor, along: Tensor, across: Tensor, angle: Tensor, reach: int) -> Tensor:
    """Blur with a slanted Gaussian (as in Wang et al. 2021, Real-ESRGAN): round like defocus or long like motion.

    Done on the spectrum, where a Gaussian is a Gaussian: any spread costs the same.

    Args:
        pictures: (n, c, h, w).
        along, across: (n,) standard deviations in pixels.
        angle: (n,) of the first, radians from the x axis towards the y axis.
        reach: pixels by which the border is repeated outwards; three times the largest deviation hides the seam.
    """
    padded = F.pad(pictures, (reach, reach, reach, reach), mode="replicate")
    height, width = padded.shape[-2:]
    y = torch.fft.fftfreq(height, device=pictures.device)[:, None]
    x = torch.fft.rfftfreq(width, device=pictures.device)[None, :]
    along, across, cosine, sine = (each.view(-1, 1, 1, 1) for each in (along, across, angle.cos(), angle.sin()))
    exponent = (along * (cosine * x + sine * y)).square() + (across * (cosine * y - sine * x)).square()
    spectrum = torch.fft.rfft2(padded) * torch.exp(-2 * math.pi**2 * exponent)
    smeared: Tensor = torch.fft.irfft2(spectrum, s=(height, width))
    return smeared[..., reach : height - reach, reach : width - reach].clamp(0, 1)


def resample(pictures: Tensor, factor: Tensor) -> Tensor:
    """Make each picture smaller by averaging, and as large as before by linear interpolation.

    Args:
        pictures: (n, c, s, s).
        factor: (n,) >= 1: by how much smaller; the small side is rounded to a whole number of pixels.
    """
    side = pictures.shape[-1]
    small = (side / factor).round().clamp(1, side).view(-1, 1, 1)
    pixel = torch.arange(side, device=pictures.device, dtype=torch.float32)
    step = side / small
    first = pixel[None, :, None] * step
    overlap = torch.minimum(first + step, pixel + 1) - torch.maximum(first, pixel)
    down = overlap.clamp_min(0) / step  # (n, small pixel, pixel)
    at = torch.minimum(((pixel[None, :, None] + 0.5) / step - 0.5).clamp_min(0), small - 1)
    up = (1 - (at - pixel).abs()).clamp_min(0)  # (n, pixel, small pixel)
    both = (up @ down)[:, None]
    return (both @ pictures @ both.transpose(-1, -2)).clamp(0, 1)


def compress(pictures: Tensor, quality: Tensor) -> Tensor:
    """What JPEG (ITU-T T.81) with 4:2:0 chroma leaves of a picture; its lossless part, the coding, is left out.

    Args:
        pictures: (n, 3, h, w) RGB.
        quality: (n,) 1..100, as libjpeg counts.
    """
    height, width = pictures.shape[-2:]
    extra = (-width % _MACROBLOCK, -height % _MACROBLOCK)
    padded = F.pad((pictures * 255).round(), (0, extra[0], 0, extra[1]), mode="replicate")
    ycc = torch.einsum("ij,njhw->nihw", constant(_YCC, padded.dtype, padded.device), padded)
    luma = _quantised(ycc[:, :1] - 128, _steps(_LUMA_STEPS, quality)) + 128
    chroma = _quantised(F.avg_pool2d(ycc[:, 1:], 2), _steps(_CHROMA_STEPS, quality))
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    to_rgb = constant(_RGB, padded.dtype, padded.device)
    decoded = torch.einsum("ij,njhw->nihw", to_rgb, torch.cat([luma, chroma], dim=1))
    return (decoded[..., :height, :width].round() / 255).clamp(0, 1)


def _steps(table: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """The steps at a quality as libjpeg scales them, (n, 1, 1, 1, 8, 8)."""
    quality = quality.round().view(-1, 1, 1, 1, 1, 1)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    return ((constant(table, quality.dtype, quality.device) * percent + 50) / 100).floor().clamp(1, 255)


def _quantised(plane: Tensor, steps: Tensor) -> Tensor:
    """Planes (n, c, h, w), sides multiples of 8, with every block's cosine coefficients rounded to steps."""
    count, channels, height, width = plane.shape
    blocks = plane.view(count, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).transpose(3, 4)
    cosines = _cosines(plane.dtype, plane.device)
    coefficients = (cosines @ blocks @ cosines.T / steps).round() * steps
    return (cosines.T @ coefficients @ cosines).transpose(3, 4).reshape(plane.shape)


@cache
def _cosines(dtype: torch.dtype, device: torch.device) -> Tensor:
    """The orthonormal cosine transform of 8 values, DCT-II, (8, 8), a row per frequency."""
    frequency, at = np.mgrid[:_BLOCK, :_BLOCK]
    rows = np.cos(np.pi / _BLOCK * (at + 0.5) * frequency) * np.sqrt(2 / _BLOCK)
    rows[0] /= np.sqrt(2)
    return torch.from_numpy(rows.astype(np.float32)).to(device, dtype)
