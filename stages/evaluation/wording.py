"""Names and numbers as people read them."""

from __future__ import annotations

from typing import Final, Literal

from stages.evaluation.controls import ALTERNATING, COPIED, DELAYED, ORACLE, SHUFFLED, STATIC, WRONG

Kind = Literal["decibel", "plain", "share", "count", "yes", "points", "degrees", "times", "frames", "fine"]

COUNTED: Final[dict[str, tuple[str, Kind, str]]] = {
    "psnr_gain": ("PSNR above the copied target", "decibel", "How much nearer to the right answer the swap is than "
                  "doing nothing. Without this, a high PSNR may only say that the two people look alike."),
    "psnr_worst": ("PSNR, worst held-out frame", "decibel", "The lowest of the held-out frames that were measured in "
                   "full; those linked above the curves may be frames of training."),
    "untouched_exact": ("Outside the face untouched", "yes", "Whether every sample outside the face's crop in the "
                        "frames that were measured, and every frame without a face, is bit for bit the clip's own "
                        "before encoding."),
    "likeness_was_taught": ("The model was taught by this recogniser", "yes", "Its loss had an identity term through "
                            "the same network that measures likeness here, so those figures say less than the others: "
                            "trust the fidelity to the right answer, and your eyes."),
    "frames_held_out": ("Held-out frames measured", "count", "Frames of the target's clip that training never saw."),
    "frames": ("Frames measured in full", "count", "Spread evenly over the clip; half of them held-out as far as there "
               "are enough."),
}  # fmt: skip
"""Figures that are no statistic over frames: name, kind and what they say."""

CONTROLS: Final = {
    COPIED: ("untouched target", "nothing was swapped"),
    WRONG: ("wrong decoder", "the target's own decoder: a well-drawn face, but the wrong one"),
    SHUFFLED: ("shuffled frames", "the right likeness from another moment"),
    STATIC: ("static source", "one face of the source, pasted with a hard edge"),
    ORACLE: ("oracle", "the right answer at the model's resolution, in the crop at half of it"),
    DELAYED: ("delayed target", "the target's performance two frames late"),
    ALTERNATING: ("alternating", "the swap's and the target's likeness in turn"),
}
"""What people read, and what it is."""


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
        case "points":
            return f"{value:.1f}"
        case "degrees":
            return f"{value:.2f}°"
        case "times":
            return f"{value:.2f} ×"
        case "frames":
            return f"{value + 0.0:.2f} frames"
        case "fine":
            return f"{value:.4f}"
        case _:
            return f"{value:.3f}"
