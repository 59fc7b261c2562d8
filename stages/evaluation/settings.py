"""What can be set about evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from stages.onnx import Device
from stages.problems import nearest

FIGURES: Final = frozenset({
    "psnr", "ssim", "colour_error", "psnr_all", "mask_iou", "mask_edge", "psnr_frame", "ssim_frame",
    "colour_error_frame", "vmaf", "similarity_source", "similarity_target", "nearer_to_source", "retrieved",
    "second_similarity_source", "second_similarity_target", "second_nearer_to_source", "second_retrieved",
    "identity_spread", "landmark_error", "pose_error", "gaze_error", "mouth_error", "landmark_error_truth",
    "pose_error_truth", "gaze_error_truth", "mouth_error_truth", "pose_correlation", "gaze_correlation",
    "mouth_correlation", "eye_correlation", "lip_lag", "flicker", "jitter", "seam_energy", "psnr_gain", "psnr_worst",
    "untouched_exact",
})  # fmt: skip
"""What a threshold can be set for. They stand here, since every stage reads the settings and few can measure; a test
holds them to the catalogue."""


class Threshold(BaseModel):
    """A bar for one figure: a bound on either side, or on both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least: float | None = Field(default=None, description="below it the run fails")
    most: float | None = Field(default=None, description="above it the run fails")

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.least is None and self.most is None:
            raise ValueError("give least, most, or both")
        return self


class EvaluationSettings(BaseModel):
    """Section ``evaluation`` of params.yaml. More frames give steadier figures and take longer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: int = Field(
        default=96,
        ge=2,
        description="most frames that are measured, spread evenly; half of them held-out ones if there are enough",
    )
    stretches: int = Field(
        default=4,
        ge=0,
        description="most stretches of frames in a row, spread evenly, for flicker, trembling, lag and VMAF",
    )
    stretch_frames: int = Field(default=30, ge=3, description="frames in a stretch")
    references: int = Field(
        default=16, ge=1, description="faces of each identity whose mean embedding stands for that person"
    )
    pack: str = Field(default="open", description="the networks that recognise and place landmarks; see detection.pack")
    second_recogniser: Path | None = Field(
        default=None,
        description="file of another recogniser (ArcFace-style ONNX) that judges likeness, too, and that no loss can "
        "learn through (docs/evaluation.md); none comes with the project",
    )
    device: Device = Field(default="cpu", description="where the networks run: auto, cpu or cuda")
    threads: int = Field(default=2, ge=1, description="of the networks, on the CPU")
    pictures: int = Field(default=16, ge=1, le=60, description="frames that the report shows")
    picture_width: int = Field(default=300, ge=64, le=1280, description="width in pixels of a picture in the report")
    picture_quality: int = Field(default=82, ge=30, le=100, description="JPEG quality of the report's pictures")
    seed: int = Field(default=0, ge=0, description="of the drawings that intervals come from")
    thresholds: dict[str, Threshold] = Field(
        default={},
        description="bars by figure, as psnr_frame: {least: 27}; a swap that misses one fails the stage, after "
        "everything is written",
    )

    @field_validator("thresholds")
    @classmethod
    def _names_figures(cls, thresholds: dict[str, Threshold]) -> dict[str, Threshold]:
        for name in thresholds:
            if name not in FIGURES:
                meant = nearest(name, sorted(FIGURES))
                raise PydanticCustomError(
                    "likeness",
                    "{where}: {what}",
                    {"where": f"evaluation.thresholds.{name}", "what": f"there is no figure '{name}'; {meant}"},
                )
        return thresholds
