"""What can be set about evaluation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EvaluationSettings(BaseModel):
    """Settings of the stage ``evaluation``. More frames give steadier figures and take longer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: int = Field(
        default=120,
        ge=1,
        description="most frames that are measured, spread evenly over the clip's held-out and other frames alike",
    )
    every: int = Field(default=1, ge=1, description="measure at most every n-th frame")
    pictures: int = Field(default=12, ge=1, le=40, description="frames that the report shows side by side")
    picture_width: int = Field(default=320, ge=64, le=1280, description="width in pixels of a picture in the report")
    picture_quality: int = Field(default=82, ge=30, le=100, description="JPEG quality of the report's pictures")
    seed: int = Field(default=0, ge=0, description="of the permutation that the shuffled-frames control uses")
