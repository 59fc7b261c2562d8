"""Every figure of an evaluation: how it is computed, what it says, and how it must rank the controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from stages.artifacts.face_set import HELD_OUT
from stages.evaluation.controls import ALTERNATING, COPIED, DELAYED, ORACLE, SHUFFLED, STATIC, WRONG
from stages.evaluation.performance import POSE
from stages.evaluation.statistics import Correlation, Lag, Mean, RootRatio, Statistic
from stages.evaluation.wording import Kind

Better = Literal["higher", "lower", "zero"]
Order = tuple[tuple[str, str], ...]
"""Pairs of controls, of which the first must be better."""


@dataclass(frozen=True)
class Metric:
    """A figure.

    Attributes:
        key: in ``metrics.json``; docs/evaluation.md tells of each.
        group: of the report's table.
        name: for people.
        kind: how it is written.
        better: which way it is better; "zero": the nearer to 0.
        statistic: what it is.
        order: how it must rank the controls.
        says: what it means, in a sentence or two.
    """

    key: str
    group: str
    name: str
    kind: Kind
    better: Better
    statistic: Statistic
    order: Order
    says: str

    @property
    def controls(self) -> tuple[str, ...]:
        """Those that the figure must rank."""
        return tuple(dict.fromkeys(name for pair in self.order for name in pair))

    def is_better(self, one: float, other: float) -> bool:
        """Whether one value of the figure is better than another."""
        match self.better:
            case "higher":
                return one > other
            case "lower":
                return one < other
            case _:
                return abs(one) < abs(other)


TRUTH: Final = "Against the right answer"
LIKENESS: Final = "Likeness"
PERFORMANCE: Final = "Performance"
TIME: Final = "Over time"
EDGES: Final = "Edges"

_BELOW_THE_ORACLE: Final = tuple((ORACLE, name) for name in (COPIED, WRONG, SHUFFLED, STATIC))
_LIKE_THE_SOURCE: Final = (
    (ORACLE, COPIED), (ORACLE, WRONG), (SHUFFLED, COPIED), (SHUFFLED, WRONG), (STATIC, COPIED), (STATIC, WRONG),
)  # fmt: skip
_LIKE_THE_PERFORMANCE: Final = (
    (COPIED, SHUFFLED), (COPIED, STATIC), (WRONG, SHUFFLED), (WRONG, STATIC), (ORACLE, SHUFFLED), (ORACLE, STATIC),
)  # fmt: skip
_LIKE_THE_ANSWER: Final = ((ORACLE, COPIED), (ORACLE, SHUFFLED), (ORACLE, STATIC))
_COPY: Final = f"_{COPIED}"


def _whom(prefix: str, judge: str, by: str) -> tuple[Metric, ...]:
    """Whom faces look like, as one recogniser sees it.

    Args:
        prefix: of the keys.
        judge: which recogniser, after the figures' names.
        by: which recogniser, at the end of a sentence.
    """
    return (
        Metric(
            f"{prefix}similarity_source", LIKENESS, f"Similarity to the source{judge}", "plain", "higher",
            Mean(f"{prefix}similarity_source"), _LIKE_THE_SOURCE,
            f"Mean cosine similarity of the delivered face to the source's mean embedding by {by}",
        ),
        Metric(
            f"{prefix}similarity_target", LIKENESS, f"Similarity to the target{judge}", "plain", "lower",
            Mean(f"{prefix}similarity_target"), _LIKE_THE_SOURCE,
            "The same to the target; it should be the lower of the two.",
        ),
        Metric(
            f"{prefix}nearer_to_source", LIKENESS, f"Frames nearer to the source{judge}", "share", "higher",
            Mean(f"{prefix}nearer_to_source"), _LIKE_THE_SOURCE,
            "Share of frames in which the delivered face is more like the source than like the target.",
        ),
        Metric(
            f"{prefix}retrieved", LIKENESS, f"Source found among strangers{judge}", "share", "higher",
            Mean(f"{prefix}retrieved"), _LIKE_THE_SOURCE,
            "Share of frames in which the delivered face is more like the source than like the target or any of the "
            "strangers (rendered performers).",
        ),
    )  # fmt: skip


METRICS: Final = (
    Metric(
        "psnr", TRUTH, "PSNR, converted face", "decibel", "higher", Mean("psnr", HELD_OUT), _BELOW_THE_ORACLE,
        "How near the face from the model is to the right answer, on 8-bit RGB inside the face, over frames that "
        "training never saw. 6 dB more is half the error.",
    ),
    Metric(
        "ssim", TRUTH, "SSIM, converted face", "plain", "higher", Mean("ssim", HELD_OUT), _BELOW_THE_ORACLE,
        "The same for local structure (Wang et al. 2004): 1 is equal, 0 is unrelated.",
    ),
    Metric(
        "colour_error", TRUTH, "Colour difference, converted face", "points", "lower",
        Mean("colour_error", HELD_OUT), _BELOW_THE_ORACLE,
        "Mean CIEDE2000 inside the face: about 1 is the least that an eye sees side by side.",
    ),
    Metric(
        "psnr_all", TRUTH, "PSNR, all measured frames", "decibel", "higher", Mean("psnr"), _BELOW_THE_ORACLE,
        "With the frames that training saw; much above the held-out figure, the model has learnt frames by heart.",
    ),
    Metric(
        "mask_iou", TRUTH, "Mask, overlap", "plain", "higher", Mean("mask_iou"), ((ORACLE, SHUFFLED), (ORACLE, STATIC)),
        "Area that the decoder's mask and the right answer's face share, over the area of either (intersection over "
        "union). The mask ends on the brow, a face at the hair, so 1 is out of reach.",
    ),
    Metric(
        "mask_edge", TRUTH, "Mask, edge", "plain", "higher", Mean("mask_edge"), ((ORACLE, SHUFFLED), (ORACLE, STATIC)),
        "Share of the two masks' edges that meet (boundary F, Perazzi et al. 2016).",
    ),
    Metric(
        "psnr_frame", TRUTH, "PSNR, deliverable", "decibel", "higher", Mean("psnr_frame", HELD_OUT), _BELOW_THE_ORACLE,
        "As above on the encoded video, after colour, mask, blend and coding, inside the face. Compositing matches the "
        "target's skin, the right answer has the source's: that alone lowers it.",
    ),
    Metric(
        "ssim_frame", TRUTH, "SSIM, deliverable", "plain", "higher", Mean("ssim_frame", HELD_OUT), _BELOW_THE_ORACLE,
        "Structure of the encoded video inside the face.",
    ),
    Metric(
        "colour_error_frame", TRUTH, "Colour difference, deliverable", "points", "lower",
        Mean("colour_error_frame", HELD_OUT), _BELOW_THE_ORACLE,
        "Mean CIEDE2000 of the encoded video inside the face.",
    ),
    Metric(
        "vmaf", TRUTH, "VMAF, deliverable", "points", "higher", Mean("vmaf"), ((ORACLE, COPIED),),
        "What viewers would say of the face against the right answer, 0 to 100, by a model that was taught on "
        "compression (Li et al. 2016), on frames in a row, of training, too.",
    ),
    *_whom("", "", "the pack's recogniser: 1 is the same."),
    *_whom("second_", ", second judge", "another recogniser, which no training has learnt from."),
    Metric(
        "identity_spread", LIKENESS, "Likeness that comes and goes", "fine", "lower", Mean("identity_spread"),
        ((COPIED, ALTERNATING), (ORACLE, ALTERNATING)),
        "Variance of the likeness over time: mean of 1 - cosine similarity to the mean of all delivered faces.",
    ),
    Metric(
        "landmark_error", PERFORMANCE, "Landmark error", "share", "lower",
        Mean("landmark_error"), _LIKE_THE_PERFORMANCE,
        "Mean distance of 478 landmarks to the target's, in parts of the distance between the outer eye corners. A "
        "face of another shape has some by right.",
    ),
    Metric(
        "pose_error", PERFORMANCE, "Pose error", "degrees", "lower", Mean("pose_error"), _LIKE_THE_PERFORMANCE,
        "Mean difference of yaw, pitch and roll from the target's.",
    ),
    Metric(
        "gaze_error", PERFORMANCE, "Gaze error", "share", "lower", Mean("gaze_error"), _LIKE_THE_PERFORMANCE,
        "How far the irises lie, to the side, from where the target's are between the corners of the eyes, in parts of "
        "an eye's width.",
    ),
    Metric(
        "mouth_error", PERFORMANCE, "Mouth error", "share", "lower", Mean("mouth_error"), _LIKE_THE_PERFORMANCE,
        "Difference of how far the mouth is open, in parts of the distance between the eyes.",
    ),
    Metric(
        "landmark_error_truth", TRUTH, "Landmark error", "share", "lower",
        Mean("landmark_error_truth"), _LIKE_THE_ANSWER,
        "Mean distance of 478 landmarks to the right answer's, whose face has the source's shape, in parts of the "
        "distance between the outer eye corners.",
    ),
    Metric(
        "pose_error_truth", TRUTH, "Pose error", "degrees", "lower",
        Mean("pose_error_truth"), ((ORACLE, SHUFFLED), (ORACLE, STATIC)),
        "Mean difference of yaw, pitch and roll from the right answer's.",
    ),
    Metric(
        "gaze_error_truth", TRUTH, "Gaze error", "share", "lower",
        Mean("gaze_error_truth"), ((ORACLE, SHUFFLED), (ORACLE, STATIC)),
        "How far the irises lie, to the side, from the right answer's, in parts of an eye's width.",
    ),
    Metric(
        "mouth_error_truth", TRUTH, "Mouth error", "share", "lower",
        Mean("mouth_error_truth"), ((ORACLE, SHUFFLED), (ORACLE, STATIC)),
        "Difference of how far the mouth is open from the right answer's, in parts of the distance between the eyes.",
    ),
    Metric(
        "pose_correlation", PERFORMANCE, "Pose follows", "plain", "higher",
        Correlation(POSE, _COPY), _LIKE_THE_PERFORMANCE,
        "Pearson's correlation of yaw, pitch and roll with the target's over all measured frames, their mean: 1 "
        "follows exactly, whatever the face's shape.",
    ),
    Metric(
        "gaze_correlation", PERFORMANCE, "Gaze follows", "plain", "higher",
        Correlation(("gaze",), _COPY), _LIKE_THE_PERFORMANCE,
        "The same for where the eyes look, to the side.",
    ),
    Metric(
        "mouth_correlation", PERFORMANCE, "Mouth follows", "plain", "higher",
        Correlation(("mouth",), _COPY), _LIKE_THE_PERFORMANCE,
        "The same for how far the mouth is open.",
    ),
    Metric(
        "eye_correlation", PERFORMANCE, "Lids follow", "plain", "higher",
        Correlation(("eyes",), _COPY), _LIKE_THE_PERFORMANCE,
        "The same for how far the eyes are open: blinks.",
    ),
    Metric(
        "lip_lag", PERFORMANCE, "Lip lag", "frames", "zero", Lag("mouth", "mouth_copied_target"), ((COPIED, DELAYED),),
        "By how many frames the mouth comes later than the target's: the peak of their cross-correlation.",
    ),
    Metric(
        "flicker", TIME, "Flicker", "times", "lower", RootRatio("flow_error", "flow_error_copied_target"),
        ((COPIED, SHUFFLED), (ORACLE, SHUFFLED)),
        "What changes in the face from frame to frame beyond what moves (warping error along the target's optical "
        "flow, Lai et al. 2018), as a multiple of the target's own.",
    ),
    Metric(
        "jitter", TIME, "Trembling", "times", "lower",
        RootRatio("second_difference", "second_difference_copied_target"),
        ((COPIED, SHUFFLED),),
        "Acceleration of the landmarks from frame to frame, as a multiple of the target's own.",
    ),
    Metric(
        "seam_energy", EDGES, "Seam", "times", "lower", Mean("seam_energy"), ((COPIED, STATIC), (COPIED, SHUFFLED)),
        "How much more brightness changes across the edge of the replaced area than its surroundings let expect, "
        "measured by the target: 1 is no seam.",
    ),
)  # fmt: skip
"""In the order of the report."""
