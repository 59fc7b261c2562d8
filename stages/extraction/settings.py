"""Settings of the extraction stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ExtractionSettings(BaseModel):
    """Section ``extraction`` of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shard_frames: int = Field(1000, ge=1, le=2000, description="frames in one lossless shard at most")
    cut_score: float = Field(
        12.0,
        gt=0.0,
        le=100.0,
        description="scene-change score (ffmpeg's scdet, 0 to 100) from which a new shot begins; a quarter of it is "
        "enough where the frames before hardly change",
    )
    interlaced: Literal["deinterlace", "refuse"] = Field(
        "deinterlace",
        description="what to do with interlaced frames: one whole frame out of each, by ffmpeg's bwdif, or refuse them",
    )
