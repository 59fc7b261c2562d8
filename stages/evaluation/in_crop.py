"""What is measured in the aligned crop against the right answer: the converted face before it is put into the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stages import geometry
from stages.evaluation import controls
from stages.evaluation.colour import colour_error
from stages.evaluation.instruments import Converts, Instruments, Row
from stages.evaluation.masks import boundary_f, intersection_over_union
from stages.evaluation.views import Mask, Picture, View
from stages.fidelity import psnr, ssim


def crop_figures(view: View, truth: Picture, position: int, converts: Converts, instruments: Instruments) -> Row:
    """Fidelity of the converted crop and its mask, and of the controls.

    Args:
        view: of the frame.
        truth: (h, w, 3) uint8 RGB, the right answer.
        position: of the crop among ``converts``.
        converts: all measured crops and masks.
        instruments: what is measured with.
    """
    crop, mask = converts.crops[position], converts.masks[position]
    size = crop.shape[0]
    stranger = controls.another_moment(position, len(converts.crops))
    right, inside = view.crop_of(truth, size), view.face_mask_in_crop(size)
    still, still_mask = instruments.still
    network_crop = geometry.crop(view.untouched, view.transform, instruments.model.crop_size)
    pictures = {
        "": crop,
        f"_{controls.COPIED}": view.crop_of(view.untouched, size),
        f"_{controls.WRONG}": controls.wrongly_decoded(network_crop, instruments.wrong, instruments.model),
        f"_{controls.SHUFFLED}": converts.crops[stranger],
        f"_{controls.STATIC}": still,
        f"_{controls.ORACLE}": controls.at_half_resolution(right),
    }
    row: Row = {}
    for name, picture in pictures.items():
        row[f"psnr{name}"] = psnr(picture, right, inside)
        row[f"ssim{name}"] = ssim(picture, right, inside)
        row[f"colour_error{name}"] = colour_error(picture, right, inside)
    if view.truth_face is not None:
        right_mask = truth_mask(view.truth_face, view, size)
        masks = {
            "": mask >= 128,
            f"_{controls.SHUFFLED}": converts.masks[stranger] >= 128,
            f"_{controls.STATIC}": still_mask,
            f"_{controls.ORACLE}": _at_half_resolution(right_mask),
        }
        for name, found in masks.items():
            row[f"mask_iou{name}"] = intersection_over_union(found, right_mask)
            row[f"mask_edge{name}"] = boundary_f(found, right_mask)
    return row


def truth_mask(truth_face: Mask, view: View, size: int) -> Mask:
    """What the truth shows as face in the aligned crop, (size, size) bool."""
    into_crop = geometry.compose(view.transform, geometry.to_pixels(size))
    return np.asarray(geometry.warp(truth_face.astype(np.float32), into_crop, size, size, edge="zero") >= 0.5)


def _at_half_resolution(mask: Mask) -> Mask:
    grey: NDArray[np.uint8] = mask.astype(np.uint8)[..., None].repeat(3, axis=2) * 255
    return np.asarray(controls.at_half_resolution(grey)[..., 0] >= 128)
