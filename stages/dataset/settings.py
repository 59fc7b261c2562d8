"""Settings of the dataset stage."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class FilterSettings(BaseModel):
    """Which faces are good enough to learn from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    confidence: float = Field(default=0.5, ge=0.0, le=1.0, description="least certainty of the landmarks")
    sharpness: float = Field(
        default=0.25, ge=0.0, le=1.0, description="least sharpness, as a share of the clip's median; 0 is off"
    )
    darkest: float = Field(default=0.04, ge=0.0, le=1.0, description="least mean luma of the face")
    brightest: float = Field(default=0.96, ge=0.0, le=1.0, description="greatest mean luma of the face")
    covered: float = Field(
        default=0.12,
        ge=0.0,
        le=1.0,
        description="greatest share of the face that something before it hides (a hand, a cup) beyond what is hidden "
        "in the clip's median face: glasses that are always worn are the person's; 1 is off",
    )
    yaw: float = Field(default=75.0, gt=0.0, le=180.0, description="greatest turn to either side, degrees")
    inside: float = Field(default=0.9, ge=0.0, le=1.0, description="least share of the landmarks that lie in the frame")
    difference: float = Field(
        default=3.0,
        ge=0.0,
        le=255.0,
        description="a face of which no part differs so much from the one kept before it, in code values, is its "
        "duplicate; 0 keeps all",
    )


class SplitSettings(BaseModel):
    """Which faces are kept from training, to measure on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    held_out: float = Field(default=0.1, ge=0.0, lt=0.5, description="share of the frames that is held out")
    block: int = Field(default=12, ge=1, description="frames in one held-out block, in a row")
    guard: int = Field(default=5, ge=1, description="frames before and after a block that are in neither part")


class DatasetSettings(BaseModel):
    """Section ``dataset`` of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(default=256, ge=32, le=1024, multiple_of=2, description="of the crops, in pixels")
    forehead: float = Field(
        default=0.35,
        ge=0.0,
        le=1.0,
        description="how far the mask goes above the topmost landmark, as a share of its distance from the nose bridge",
    )
    minimum: int = Field(default=25, ge=2, description="fewest usable faces to make a face set of")
    filter: FilterSettings = FilterSettings()
    split: SplitSettings = SplitSettings()

    def wholly_held_out(self) -> Self:
        """The same for a clip that is kept from training as a whole (``clips.<name>.held_out``)."""
        return self.model_copy(update={"split": self.split.model_copy(update={"held_out": 1.0})})
