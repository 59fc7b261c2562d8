"""What a base is made of: the performers, the scenes they all play, the network and its schedule."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from stages.training.settings import (
    AugmentationSettings,
    LossSettings,
    NetworkSettings,
    OptimiserSettings,
)


class SettlingRecipe(BaseModel):
    """How the encoder is drawn to what a scene's performers agree on, see :mod:`stages.base.settling`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iterations: int = Field(default=600, ge=0, description="0: the encoder stays as the rehearsal left it")
    batch: int = Field(default=24, ge=1, description="pictures in an iteration")
    augmentation: AugmentationSettings = AugmentationSettings(light=0.0, rotation=0.0, zoom=0.0, shift=0.0, flip=0.0)
    """Nothing that the wanted code does not hold: it is that of pictures as they are."""
    optimiser: OptimiserSettings = OptimiserSettings(learning_rate=0.0005, warm_up=50, average=0.99)


class Recipe(BaseModel):
    """Every number that a base depends on, beside the code. It is kept with the weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0, description="of the scenes, the first weights and the batches")
    first_identity: int = Field(default=1000, ge=0, description="seed of the first performer; the samples' are below")
    troupes: int = Field(default=60, ge=1, description="groups of performers who play the same scenes")
    cast: int = Field(default=4, ge=2, description="performers in a troupe")
    scenes: int = Field(default=30, ge=1, description="that each troupe plays")
    frame_size: int = Field(default=320, ge=128, description="side of the rendered frames, pixels")
    stored_size: int = Field(default=192, ge=32, description="side of the crops, pixels")
    yaw: float = Field(default=42.0, description="degrees; wider than the samples, so that turns are known")
    pitch: float = Field(default=18.0, description="degrees")
    roll: float = Field(default=10.0, description="degrees")
    hard: float = Field(default=0.2, ge=0.0, le=1.0, description="share of the scenes in hard light from aside")
    network: NetworkSettings = NetworkSettings(
        input_size=128,
        output_size=128,
        encoder_channels=(48, 96, 192, 256),
        latent=256,
        decoder_channels=(192, 128, 64, 48),
        texture=4,
        texture_size=192,
    )
    iterations: int = Field(default=10_000, ge=1, description="of the rehearsal")
    batch: int = Field(default=16, ge=2, description="scenes in an iteration, each one input and one answer")
    same: float = Field(default=0.35, ge=0.0, le=1.0, description="share of answers by the performer who is seen")
    augmentation: AugmentationSettings = AugmentationSettings(light=0.1, rotation=0.0, zoom=0.0, shift=0.0)
    """No moves of input and answer: an encoder that learns to tell where a head lies in its crop, which is alignment's
    business, tells it with a bias for whose head it is, and the swap lies off by that."""
    losses: LossSettings = LossSettings(eyes=4.0, mouth=2.0)
    """Lids, gaze and lips are a small part of a face's pixels and most of what is looked at."""
    optimiser: OptimiserSettings = OptimiserSettings(learning_rate=0.0015, warm_up=200, average=0.999)
    settling: SettlingRecipe = SettlingRecipe()

    def played(self) -> dict[str, Any]:
        """What the pictures of a troupe depend on; the rest is about training, or says how many troupes there are."""
        keys = {"seed", "first_identity", "cast", "scenes", "frame_size", "stored_size", "yaw", "pitch", "roll", "hard"}
        return self.model_dump(mode="json", include=keys)

    def rehearsed(self) -> dict[str, Any]:
        """What the rehearsal's weights depend on, beside its pictures."""
        return self.model_dump(mode="json", exclude={"settling"})
