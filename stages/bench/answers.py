"""What a finished scene is worth against its right answer; what the figures are, :mod:`stages.bench.quality` tells."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages import geometry
from stages.bench.playing import Picture, Swapped
from stages.bench.scenes import NamedScene
from stages.compositing.colour import above_mouth
from stages.compositing.recolouring import between
from stages.compositing.settings import ColourSettings
from stages.evaluation import controls
from stages.fidelity import FACE_PARTS, hull, mask_box, psnr, ssim_map
from stages.rendering.mesh import COVERS, Part

Mask = NDArray[np.bool_]

FACE: Final = tuple(part for part in Part if part.name.lower() in FACE_PARTS)

_LOOKED_AT: Final[dict[str, tuple[Part, ...]]] = {
    "mouth": (Part.LIPS, Part.MOUTH, Part.TEETH, Part.TONGUE),
    "eyes": (Part.EYE, Part.LASHES),
}
"""Small parts of a face that are looked at first, and say little in a mean over all of it."""

_SEEN: Final = 12
"""Sum of differences in R, G and B, in code values, from which on a pixel counts as replaced."""

_HAIR: Final = frozenset({"fringe"})
"""What comes before a face and is no thing."""

_MIXED: Final = 2
"""Pixels: as far from hair both hair and face may show in one."""

_BRIDGE: Final = 27
_BASE: Final = 33
"""Exact landmarks (:mod:`stages.rendering.landmarks`): where the nose begins and ends."""

_FINE: Final = 1.5
"""Sigma in pixels of the local means about which the finest structure lies."""


def figures(scene: NamedScene, made: Swapped, settings: ColourSettings) -> dict[str, float | str]:
    """A row of the table.

    Args:
        scene, made: that was played.
        settings: by which the right answer gets its colours.
    """
    faces = made.faces.sort_values("frame")
    numbers = faces["frame"].tolist()
    points = [np.asarray(each, np.float32).reshape(-1, 3)[:, :2] for each in faces["landmarks"]]
    placed = [geometry.as_matrix(each) for each in faces["transform"]]
    rows = []
    for row, number in enumerate(numbers):
        other = controls.another_moment(row, len(numbers))
        moment = geometry.crop(made.finished[numbers[other]], placed[other], made.size)
        face = measured_face(made, number, points[row])
        told = _frame(made, number, face, placed[row], moment, settings) if face.any() else {}  # all may be covered
        rows.append(told | _kept(made, number))
    names = ("psnr", "ssim", *_LOOKED_AT, "same_skin", "copied", "shuffled", "oracle", "fine")
    table = pd.DataFrame(rows)
    table = table.reindex(columns=[*table.columns, *(name for name in names if name not in table)])

    def overlap(name: str, asked: bool) -> float:
        both, either = table[f"both{name}"].sum(), table[f"either{name}"].sum()
        return float(both / either) if asked and either else float("nan")

    means = {name: float(table[name].mean()) for name in names}
    return {
        "scene": scene.name,
        **means,
        "worst": float(table["psnr"].min()),
        "kept": overlap("", bool(scene.before)),
        "things": overlap("_things", not _HAIR.issuperset(scene.before)),
        "lost": float(table["lost"].sum() / max(table["face"].sum(), 1)),
        "spilled": float(table["beside"].sum() / max(table["changed"].sum(), 1)),
        "replaced": sum(bool(made.hidden[number][1].any()) for number in set(numbers)) / scene.frames,
    }


def measured_face(made: Swapped, number: int, points: NDArray[np.float32]) -> Mask:
    """Where a frame's face is measured, (h, w): within its landmarks (n, 2), face in both, and no hair near.

    Whose hair it is a swap does not change, and a strand is thinner than a pixel.
    """
    take = made.takes[number]
    height, width = take.target_parts.shape
    return hull(points, width, height) & face_alone(take.truth_parts) & face_alone(take.target_parts)


def _frame(
    made: Swapped, number: int, face: Mask, transform: geometry.Floats, moment: Picture, settings: ColourSettings
) -> dict[str, float]:
    """Figures against the right answer.

    Args:
        made: the scene.
        number: of the frame.
        face: (h, w), where it is measured.
        transform: (2, 3), frame pixels to the unit crop.
        moment: (s, s, 3), the finished face of another moment; the oracle is as large.
        settings: of colour.
    """
    take, clip, finished = made.takes[number], made.clip[number], made.finished[number]
    box = mask_box(face)
    own = (take.truth_parts == Part.EYE)[box]

    beardless = above_mouth(take.landmarks[_BRIDGE], take.landmarks[_BASE], *face.shape)[box]

    def toned_right(truth: Picture) -> Picture:
        return np.where(own[..., None], truth[box], toned(truth[box], clip[box], face[box], settings, beardless))

    right = toned_right(take.truth)
    small = geometry.crop(take.truth, transform, len(moment))
    versions = {
        "psnr": finished[box],
        "copied": clip[box],
        "shuffled": controls.pasted(clip, moment, transform, face)[box],
        "oracle": toned_right(controls.at_resolution(take.truth, small, transform)),
    }
    alike = ssim_map(finished[box], right)
    shown = {
        name: face[box] & (np.isin(take.truth_parts, parts) | np.isin(take.target_parts, parts))[box]
        for name, parts in _LOOKED_AT.items()
    }
    return {name: psnr(picture, right, face[box]) for name, picture in versions.items()} | {
        **{name: _mean_inside(alike, mask) for name, mask in {"ssim": face[box], **shown}.items()},
        "same_skin": psnr(finished[box], take.same_skin[box], face[box]),
        "fine": fine(finished[box], face[box]) / fine(right, face[box]),
    }


def _mean_inside(values: NDArray[np.float32], mask: Mask) -> float:
    """Of values (h, w, 3) where a mask (h, w) is; NaN if it is nowhere."""
    return float(values[mask].mean()) if mask.any() else float("nan")


def fine(picture: Picture, face: Mask) -> float:
    """How strong the finest structure of a face is, pores and noise: the usual difference of luma to its local mean.

    Args:
        picture: (h, w, 3) uint8.
        face: (h, w).

    Returns:
        code values; half of one is added, since of skin without any the ratio to another's would be noise.
    """
    luma = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    left = luma - cv2.GaussianBlur(luma, (0, 0), _FINE)
    return 0.5 + 1.4826 * float(np.median(np.abs(left[face])))


def _kept(made: Swapped, number: int) -> dict[str, float]:
    """Counts of pixels: of what is before the face, and of what was changed."""
    take, clip = made.takes[number], made.clip[number]
    reach, replaced = made.hidden[number]
    kept = reach & ~replaced
    things, face = np.isin(take.target_parts, COVERS), np.isin(take.target_parts, FACE)
    before = reach & (things | (take.target_parts == Part.HAIR))
    bare, clear = reach & face, ~near_hair(take.target_parts)
    changed = _difference(made.finished[number], clip) > _SEEN
    return {
        "both": float((kept & before).sum()),
        "either": float((kept & bare | before).sum()),
        "both_things": float((kept & before & clear).sum()),
        "either_things": float(((kept & bare | before) & clear).sum()),
        "lost": float((kept & bare).sum()),
        "face": float(bare.sum()),
        "beside": float((changed & ~face).sum()),
        "changed": float(changed.sum()),
    }


def face_alone(parts: Picture) -> Mask:
    """Where a rendered person's parts (h, w) are face, and no hair is near."""
    return np.asarray(np.isin(parts, FACE) & ~near_hair(parts))


def near_hair(parts: Picture) -> Mask:
    """Where a rendered person's parts (h, w) are hair, or so near to it that a pixel may show both."""
    hair = (parts == Part.HAIR).astype(np.uint8)
    reach = 2 * _MIXED + 1
    return np.asarray(cv2.dilate(hair, np.ones((reach, reach), np.uint8)) > 0)


def _difference(picture: Picture, other: Picture) -> NDArray[np.int_]:
    return np.asarray(np.abs(picture.astype(int) - other).sum(axis=2))


def toned(
    truth: Picture, target: Picture, face: Mask, settings: ColourSettings, beardless: Mask | None = None
) -> Picture:
    """The right answer (h, w, 3) with the colours of its face moved to those of the target's, as compositing does."""
    views = [picture.astype(np.float32) / np.float32(255.0) for picture in (truth, target)]
    moved = between(views, face.astype(np.float32), settings, beardless).applied(views[0])
    return np.asarray(np.clip(np.rint(255.0 * moved), 0, 255), np.uint8)
