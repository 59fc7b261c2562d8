"""Every number that the network depends on, beside the code; kept with its weights."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from stages.rendering.occluders.covering import Kind


class Recipe(BaseModel):
    """Who is rendered, behind what, and how the network learns from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0, description="of the scenes, the first weights and the batches")
    first_identity: int = Field(default=2000, ge=0, description="seed of the first performer")
    performers: int = Field(default=160, ge=1)
    held_out: int = Field(default=4, ge=1, description="further performers, to measure on")
    poses: int = Field(default=6, ge=1, description="of each performer, each bare and behind one of each of the kinds")
    grimaces: int = Field(default=8, ge=0, description="of each performer besides, bare, in lights that burn out")
    kinds: tuple[Kind, ...] = Field(
        default=("glasses", "glasses", "glasses", "hand", "hand", "microphone", "phone", "fringe"),
        description="that training sees, and as many of each as it is named; no two hands or glasses are alike",
    )
    unseen: tuple[Kind, ...] = Field(default=("cup",), description="that only held-out performers have")
    hard: float = Field(default=0.3, ge=0.0, le=1.0, description="share of the poses in hard light from aside")
    frame_size: int = Field(default=320, ge=128, description="side of the rendered frames, pixels")
    stored_size: int = Field(default=160, ge=64, description="side of the stored crops, pixels")
    stored_reach: float = Field(default=1.25, ge=1.0, description="side of the stored crops in unit crops")
    input_size: int = Field(default=128, ge=64, multiple_of=32, description="side of the network's crops, pixels")
    channels: tuple[int, ...] = Field(default=(16, 24, 48, 96, 128), description="of the levels, each half as fine")
    iterations: tuple[int, ...] = Field(
        default=(14000, 8000),
        min_length=1,
        description="of each cycle: the learning rate falls to zero in each, and each begins at half of the one before",
    )
    outside: tuple[float, ...] = Field(
        default=(1.0, 0.1),
        description="in each cycle, weight of what lies outside of the landmarks' hull: at first all of the crop "
        "teaches what things look like, then what counts is where a face is replaced",
    )
    before: tuple[float, ...] = Field(
        default=(1.0, 2.5),
        description="in each cycle, weight of what is before the face: rims and fingers are few pixels",
    )
    overlap: tuple[float, ...] = Field(
        default=(0.0, 0.5),
        description="in each cycle, weight of the part of what is before the face that is missed or seen too much",
    )
    batch: int = Field(default=8, ge=1)
    learning_rate: float = Field(default=0.002, gt=0.0)
    warm_up: int = Field(default=100, ge=0)
    average: float = Field(default=0.995, ge=0.0, lt=1.0, description="of the averaged weights, which are shipped")

    def played(self) -> dict[str, Any]:
        """What the pictures of a performer depend on."""
        names = {"seed", "first_identity", "performers", "poses", "grimaces", "kinds", "unseen", "hard", "frame_size"}
        return self.model_dump(mode="json", include=names | {"stored_size", "stored_reach"})

    @property
    def people(self) -> int:
        """All performers; the last `held_out` are not trained on."""
        return self.performers + self.held_out
