"""What is measured on one version of a whole frame: the deliverable's, or a control's in its place."""

from __future__ import annotations

from dataclasses import dataclass

from stages import geometry
from stages.evaluation import controls
from stages.evaluation.colour import colour_error
from stages.evaluation.instruments import Converts, Instruments, Row
from stages.evaluation.likeness import Embedding
from stages.evaluation.performance import Performance
from stages.evaluation.seam import seam_energy
from stages.evaluation.untouched import changed
from stages.evaluation.views import Mask, Picture, View
from stages.fidelity import mask_box, psnr, ssim


@dataclass(frozen=True)
class Version:
    """A picture of the frame, and where it may differ from the target."""

    picture: Picture
    replaced: Mask


@dataclass(frozen=True)
class Known:
    """What versions of a frame are compared with.

    Attributes:
        target: what the target's face does.
        truth: what the right answer's does, None if nobody knows it.
        mask: (h, w), where fidelity is measured.
        size: of the face in pixels, the root of its area.
    """

    target: Performance
    truth: Performance | None
    mask: Mask
    size: float


def versions(view: View, position: int, converts: Converts, instruments: Instruments, hull: Mask) -> dict[str, Version]:
    """The controls of a frame by name; without the oracle where the right answer is not known.

    Args:
        view: of the frame.
        position: of its crop among ``converts``.
        converts: all measured crops and masks.
        instruments: what is measured with.
        hull: (h, w), the face.
    """
    stranger = converts.crops[controls.another_moment(position, len(converts.crops))]
    network_crop = geometry.crop(view.untouched, view.transform, instruments.model.crop_size)
    wrong = controls.wrongly_decoded(network_crop, instruments.wrong, instruments.model)
    made = {controls.COPIED: Version(view.untouched, changed(view.target, view.finished))}
    for name, crop in ((controls.WRONG, wrong), (controls.SHUFFLED, stranger), (controls.STATIC, instruments.still[0])):
        made[name] = Version(controls.pasted(view.untouched, crop, view.transform, hull), hull)
    if view.truth is not None:
        right = view.crop_of(view.truth, stranger.shape[0])
        made[controls.ORACLE] = Version(controls.at_resolution(view.truth, right, view.transform), hull)
    return made


def frame_figures(
    view: View,
    version: Version,
    suffix: str,
    known: Known,
    instruments: Instruments,
    done: Performance | None = None,
) -> tuple[Row, Performance, Embedding]:
    """Figures of one version, with what its face does and whom it looks like.

    Args:
        view: of the frame.
        version: that is measured.
        suffix: that the columns' names end on, "" for the swap.
        known: what it is compared with.
        instruments: what is measured with.
        done: what its face does, if that is known already.
    """
    picture = version.picture
    row: Row = {}
    if view.truth is not None:
        box = mask_box(known.mask)
        ours, right, mask = picture[box], view.truth[box], known.mask[box]
        row[f"psnr_frame{suffix}"] = psnr(ours, right, mask)
        row[f"ssim_frame{suffix}"] = ssim(ours, right, mask)
        row[f"colour_error_frame{suffix}"] = colour_error(ours, right, mask)
    done = done or instruments.performance(view, picture)
    row |= {f"{name}{suffix}": value for name, value in done.signals.items()}
    row |= done.errors(known.target, suffix)
    if known.truth is not None:
        row |= done.errors(known.truth, f"_truth{suffix}")
    square = view.shape.picture(picture)
    face = instruments.likeness.embedding(square, done.landmarks)
    row |= instruments.likeness.figures(face, suffix)
    if instruments.second is not None:
        row |= instruments.second.figures(instruments.second.embedding(square, done.landmarks), suffix)
    row[f"seam_energy{suffix}"] = seam_energy(picture, view.untouched, version.replaced, known.size)
    return row, done, face
