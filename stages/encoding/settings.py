"""What can be set about encoding."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]


class EncodingSettings(BaseModel):
    """Settings of the stage ``encoding``: H.264 by libx264."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    crf: float = Field(
        default=17.0,
        ge=0.0,
        le=51.0,
        description="constant rate factor: lower is better and larger; 17 can not be told from the original by eye, "
        "23 is libx264's own default",
    )
    preset: Preset = Field(default="medium", description="slower presets give smaller files of the same quality")
    pixel_format: Literal["clip", "yuv420p"] = Field(
        default="clip",
        description="clip: keep the clip's chroma and bit depth where H.264 can; yuv420p: what every player can show",
    )
    keyframe_seconds: float = Field(
        default=5.0, gt=0.0, le=60.0, description="longest time between key frames: how finely a player can seek"
    )
    threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="of the encoder; part of the result, since libx264 gives other bytes for another number",
    )
