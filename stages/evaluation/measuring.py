"""A row of figures per measured frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.swap_model import SwapModel
from stages.evaluation import controls
from stages.evaluation.likeness import Embedding, similarity
from stages.evaluation.performance import landmark_error
from stages.evaluation.untouched import changed_outside
from stages.evaluation.views import Mask, Picture, View
from stages.fidelity import mask_box, psnr, ssim
from stages.packs import Landmarker, Recogniser

Row = dict[str, float | int | str]

REFERENCE_EVERY = 6
"""Similarities of the untouched target and of the truth are taken at every n-th measured frame: they vary little."""


@dataclass(frozen=True)
class Instruments:
    """What frames are measured with.

    Attributes:
        recogniser, landmarker: of the pack.
        source, target: mean embeddings of the two identities.
        model: the swap model.
        wrong: a session on the target's own network.
    """

    recogniser: Recogniser
    landmarker: Landmarker
    source: Embedding
    target: Embedding
    model: SwapModel
    wrong: ort.InferenceSession


def measured(
    seen: Iterator[View],
    crops: Sequence[Picture],
    transforms: dict[int, list[NDArray[np.float64]]],
    instruments: Instruments,
) -> Iterator[tuple[View, Row]]:
    """Every view with its figures.

    Args:
        seen: views in order.
        crops: the converted crop of every view, (r, r, 3) uint8 RGB.
        transforms: by frame, those of all faces that were replaced in it.
        instruments: what is measured with.
    """
    for position, view in enumerate(seen):
        row: Row = {"frame": view.number, "seconds": round(view.seconds, 6), "split": view.split}
        if view.truth is not None:
            stranger = crops[controls.another_moment(position, len(crops))]
            row |= _against_truth(view, view.truth, crops[position], stranger, instruments)
        row |= _without_truth(view, instruments, references=position % REFERENCE_EVERY == 0)
        row["changed_outside"] = changed_outside(view.target, view.finished, transforms[view.number])
        yield view, row


def _against_truth(view: View, truth: Picture, crop: Picture, stranger: Picture, instruments: Instruments) -> Row:
    """Fidelity of the converted crop, of the deliverable and of the controls."""
    size = crop.shape[0]
    right, mask = view.crop_of(truth, size), view.face_mask_in_crop(size)
    target = view.target.rgb()
    network_crop = geometry.crop(target, view.transform, instruments.model.crop_size)
    wrong = controls.wrongly_decoded(network_crop, instruments.wrong, instruments.model)
    pictures = {
        "": crop,
        "_copied_target": view.crop_of(target, size),
        "_wrong_decoder": wrong,
        "_shuffled_frames": stranger,
    }
    row: Row = {}
    for name, picture in pictures.items():
        row[f"psnr{name}"] = psnr(picture, right, mask)
        row[f"ssim{name}"] = ssim(picture, right, mask)
    whole, box = _boxed(view.face_mask())
    ceiling = controls.at_resolution(truth, right, view.transform)
    for name, picture in {"_frame": view.delivered, "_frame_copied_target": target, "_frame_ceiling": ceiling}.items():
        row[f"psnr{name}"] = psnr(picture[box], truth[box], whole)
        row[f"ssim{name}"] = ssim(picture[box], truth[box], whole)
    return row


def _without_truth(view: View, instruments: Instruments, *, references: bool) -> Row:
    """Likeness and performance, which need no right answer; with one, also its own figures to compare with."""
    people = [instruments.source, instruments.target]
    recogniser, landmarker = instruments.recogniser, instruments.landmarker
    pictures = {"": view.delivered, "_untouched": view.target.rgb()}
    if view.truth is not None:
        pictures["_truth"] = view.truth
    found = {name: landmarker.refine(picture, view.landmarks[None])[0][0] for name, picture in pictures.items()}
    row: Row = {"landmark_error": landmark_error(found[""], found["_untouched"])}
    if view.truth is not None:
        row["landmark_error_truth"] = landmark_error(found[""], found["_truth"])
        row["landmark_error_copied_target"] = landmark_error(found["_untouched"], found["_truth"])
    for name, picture in pictures.items():
        if name == "" or references:
            to_source, to_target = similarity(picture, found[name], recogniser, people)
            row |= {f"similarity_source{name}": to_source, f"similarity_target{name}": to_target}
    return row


def _boxed(mask: Mask) -> tuple[Mask, tuple[slice, slice]]:
    """A mask cut to the box that its figures look at, and the box."""
    box = mask_box(mask)
    return mask[box], box
