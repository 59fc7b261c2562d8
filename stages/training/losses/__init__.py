"""How far a decoder's answer is from the truth."""

from __future__ import annotations

from stages.training.losses.difference import gradient_map, laplacian_distance
from stages.training.losses.frequency import focal_frequency_distance
from stages.training.losses.structure import blur, ms_ssim, ssim_map
from stages.training.losses.terms import loss_terms, place_weights, sides_term

__all__ = [
    "blur",
    "focal_frequency_distance",
    "gradient_map",
    "laplacian_distance",
    "loss_terms",
    "ms_ssim",
    "place_weights",
    "sides_term",
    "ssim_map",
]
