"""What each figure of the report means, in a sentence, and the curves that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from stages.evaluation.curves import Curve

Kind = Literal["decibel", "plain", "share", "count", "yes"]


@dataclass(frozen=True)
class Explained:
    """A metric for people: its key in ``metrics.json``, its name, how it is written, and what it says."""

    key: str
    name: str
    kind: Kind
    says: str


HEADLINES: Final = ("psnr", "ssim", "psnr_gain", "nearer_to_source", "landmark_error", "untouched_exact")
"""The metrics at the top of the report, as far as the swap has them."""

METRICS: Final = (
    Explained(
        "psnr",
        "PSNR, converted face",
        "decibel",
        "How near the face from the model is to the right answer, on 8-bit RGB inside the face, over frames "
        "that training never saw. Higher is better; 6 dB is half the error.",
    ),
    Explained(
        "ssim",
        "SSIM, converted face",
        "plain",
        "The same for local structure (Wang et al. 2004, Gaussian window of 11 pixels, mean of R, G and B): 1 "
        "is equal, 0 is unrelated.",
    ),
    Explained(
        "psnr_gain",
        "PSNR above the copied target",
        "decibel",
        "How much nearer to the right answer the swap is than doing nothing. Without this, a high PSNR may "
        "only say that the two people look alike.",
    ),
    Explained(
        "psnr_worst",
        "PSNR, worst held-out frame",
        "decibel",
        "The frame to look at first.",
    ),
    Explained(
        "psnr_all",
        "PSNR, all measured frames",
        "decibel",
        "With the frames that training saw; much above the held-out figure, it means that the model has "
        "learnt frames by heart.",
    ),
    Explained(
        "psnr_frame",
        "PSNR, deliverable",
        "decibel",
        "As above on the encoded video, after colour, mask, blend and H.264, inside the face of the whole frame.",
    ),
    Explained(
        "ssim_frame",
        "SSIM, deliverable",
        "plain",
        "Structure of the encoded video inside the face.",
    ),
    Explained(
        "psnr_frame_ceiling",
        "PSNR, ceiling of the resolution",
        "decibel",
        "The right answer itself at the model's resolution: no model of this size can pass it by much.",
    ),
    Explained(
        "likeness_was_taught",
        "The model was taught by this recogniser",
        "yes",
        "Its loss had an identity term through the same network that measures likeness here, so the next figures say "
        "less than the others: trust the fidelity to the right answer, and your eyes.",
    ),
    Explained(
        "nearer_to_source",
        "Frames nearer to the source",
        "share",
        "Share of frames in which a face recogniser finds the delivered face more like the source than like "
        "the target.",
    ),
    Explained(
        "similarity_source",
        "Similarity to the source",
        "plain",
        "Mean cosine similarity of the delivered face to the source's mean embedding: 1 is the same.",
    ),
    Explained(
        "similarity_target",
        "Similarity to the target",
        "plain",
        "The same to the target; it should be the lower.",
    ),
    Explained(
        "similarity_source_untouched",
        "... of the untouched target to the source",
        "plain",
        "Where the similarity started: two people are never wholly unlike.",
    ),
    Explained(
        "similarity_source_truth",
        "... of the right answer to the source",
        "plain",
        "Where it could end: what the recogniser says of the source's own face in this performance.",
    ),
    Explained(
        "landmark_error",
        "Landmark error against the target",
        "share",
        "Mean distance of 478 landmarks to the target's, in parts of the distance between the outer eye "
        "corners: was the performance kept?",
    ),
    Explained(
        "landmark_error_truth",
        "Landmark error against the right answer",
        "share",
        "The same against the right answer, whose face has the source's shape.",
    ),
    Explained(
        "landmark_error_copied_target",
        "... of the untouched target",
        "share",
        "What that error would be had nothing been swapped.",
    ),
    Explained(
        "untouched_exact",
        "Outside the face untouched",
        "yes",
        "Whether every sample outside the face's crop, and every frame without a face, is bit for bit the "
        "clip's own before encoding.",
    ),
    Explained(
        "frames_held_out",
        "Held-out frames measured",
        "count",
        "Frames of the target's clip that training never saw.",
    ),
    Explained(
        "frames",
        "Frames measured",
        "count",
        "Spread evenly over the clip; half of them held-out as far as there are enough.",
    ),
)


@dataclass(frozen=True)
class Plot:
    """A figure with curves."""

    title: str
    says: str
    curves: tuple[Curve, ...]


PLOTS: Final = (
    Plot(
        "Fidelity to the right answer (PSNR, dB)",
        "Inside the face. The swap should stay above every control.",
        (
            Curve("psnr", "converted face", "--swap"),
            Curve("psnr_frame", "deliverable", "--second"),
            Curve("psnr_copied_target", "copied target", "--control"),
            Curve("psnr_wrong_decoder", "wrong decoder", "--third"),
        ),
    ),
    Plot(
        "Structure (SSIM)",
        "Inside the face.",
        (
            Curve("ssim", "converted face", "--swap"),
            Curve("ssim_frame", "deliverable", "--second"),
            Curve("ssim_copied_target", "copied target", "--control"),
        ),
    ),
    Plot(
        "Whom the face looks like (cosine similarity)",
        "The delivered face should be nearer to the source in every frame.",
        (
            Curve("similarity_source", "to the source", "--swap"),
            Curve("similarity_target", "to the target", "--control"),
        ),
    ),
    Plot(
        "Whether the performance was kept (landmark error)",
        "In parts of the distance between the eyes; peaks are frames to look at.",
        (
            Curve("landmark_error", "against the target", "--swap"),
            Curve("landmark_error_truth", "against the right answer", "--second"),
        ),
    ),
)

CONTROLS: Final = (
    ("", "the swap", "what the model gives"),
    ("_copied_target", "copied target", "nothing was swapped"),
    ("_wrong_decoder", "wrong decoder", "the target's own decoder: a well-drawn face, but the wrong one"),
    ("_shuffled_frames", "shuffled frames", "the right likeness from another moment"),
)
"""Suffix of the columns, name, and what it is."""


def written(value: float, kind: Kind) -> str:
    """A figure as people read it."""
    match kind:
        case "decibel":
            return f"{value:.2f} dB"
        case "share":
            return f"{100 * value:.1f} %"
        case "count":
            return f"{value:.0f}"
        case "yes":
            return "yes" if value else "NO"
        case _:
            return f"{value:.3f}"
