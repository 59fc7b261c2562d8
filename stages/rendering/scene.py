"""Settings of performers and performances, as they stand in params.yaml, and the scene that follows from them."""

from __future__ import annotations

from typing import Any, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stages.problems import Problem
from stages.rendering.identity import Identity
from stages.rendering.occluders.covering import Kind
from stages.rendering.performance import Acting
from stages.rendering.render import Sensor

Model = TypeVar("Model", bound=BaseModel)


class SensorSettings(BaseModel):
    """What the camera adds to light."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    noise: float = Field(default=0.8, ge=0.0, le=20.0, description="read noise, standard deviation in 8-bit codes")
    shot: float = Field(
        default=0.008, ge=0.0, le=0.3, description="shot noise relative to the square root of linear light"
    )
    blur: float = Field(default=0.5, ge=0.0, le=10.0, description="lens blur, standard deviation in pixels")
    exposure: float = Field(default=1.0, gt=0.0, le=8.0, description="factor on linear light")


FARTHEST_DEPTH: Final = 300.0
"""cm from the camera to a neck of which ``depth.mkv`` still holds all of the head: it ends at 327."""


class ActingSettings(BaseModel):
    """How a performance is played."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    yaw: float = Field(default=32.0, ge=0.0, le=60.0, description="degrees to which the head turns aside")
    pitch: float = Field(default=14.0, ge=0.0, le=35.0, description="degrees up and down")
    roll: float = Field(default=9.0, ge=0.0, le=35.0, description="degrees of tilt")
    talking: float = Field(default=1.0, ge=0.0, le=1.4, description="liveliness of the mouth in speech, 0 silent")
    smiling: float = Field(default=0.6, ge=0.0, le=1.0, description="how much of smiles is shown")
    distance: float = Field(default=78.0, ge=40.0, le=400.0, description="cm from the camera to the neck")
    sway: float = Field(default=1.5, ge=0.0, le=10.0, description="cm of slow movement")


class OccluderSettings(BaseModel):
    """Something that comes before the face."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = Field(description="hands and what they hold come and go; fringe is hair that falls over the brow")
    seed: int | None = Field(
        default=None, ge=0, description="draws its form, its colours and its way; None takes the performance's"
    )


class PerformanceSettings(BaseModel):
    """A rendered clip: who plays, for how long, how, before what and seen by which camera."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    performer: str = Field(description="a name under performers")
    seed: int = Field(ge=0, description="draws the motion; also the light and backdrop unless they have seeds")
    seconds: float = Field(default=13.0, gt=0.0, le=3600.0)
    rate: int = Field(default=25, ge=1, le=120, description="frames a second")
    width: int = Field(default=512, ge=64, le=3840, multiple_of=2)
    height: int = Field(default=512, ge=64, le=2160, multiple_of=2)
    focal: float = Field(default=2.0, ge=0.5, le=10.0, description="focal length in heights of the picture")
    light: int | None = Field(default=None, ge=0, description="seed of the light")
    backdrop: int | None = Field(default=None, ge=0, description="seed of the background")
    handheld: float = Field(default=1.0, ge=0.0, le=20.0, description="factor on the camera's wander")
    pitch_hz: float | None = Field(default=None, ge=60.0, le=400.0, description="voice; None takes the performer's")
    acting: ActingSettings = ActingSettings()
    sensor: SensorSettings = SensorSettings()
    crf: int = Field(default=21, ge=0, le=51, description="x264's rate factor")
    depth: bool = Field(False, description="also write depth.mkv")
    occluders: tuple[OccluderSettings, ...] = Field(
        default=(), description="what comes before the face, such as [{kind: glasses}, {kind: hand, seed: 3}]"
    )

    @property
    def frames(self) -> int:
        """How many frames the clip has."""
        return round(self.seconds * self.rate)

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        if self.frames < 1:
            raise ValueError(f"seconds: give a frame's time at least, {1.0 / self.rate:g}")
        if self.depth and self.acting.distance > FARTHEST_DEPTH:
            raise ValueError(
                f"acting.distance: depth.mkv holds faces up to {FARTHEST_DEPTH:g} cm away; come nearer, or leave depth"
            )
        return self

    def before(self) -> list[tuple[Kind, int]]:
        """What comes before the face, for `covering.Covering`."""
        return [(one.kind, self.seed if one.seed is None else one.seed) for one in self.occluders]

    def told(self) -> dict[str, Any]:
        """The settings for a truth's facts; what came into being later is told where it is asked for."""
        return self.model_dump(mode="json", exclude=None if self.occluders else {"occluders"})

    def played(self) -> Acting:
        """How it is played, for `performance.perform`."""
        return Acting(**self.acting.model_dump())

    def seen(self) -> Sensor:
        """The sensor, for `render`."""
        return Sensor(**self.sensor.model_dump())


def read_performance(name: str, fields: dict[str, Any]) -> PerformanceSettings:
    """A performance of params.yaml, validated.

    Raises:
        Problem: a field is unknown, missing or out of its range.
    """
    try:
        return PerformanceSettings.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Problem(
            f"{first['msg']} (given: {first['input']!r})",
            where=f"params.yaml, performances.{name}.{place}",
            mend="correct the field, or leave it out to take its default",
        ) from error


def read_performer(name: str, fields: dict[str, Any]) -> Identity:
    """A performer of params.yaml: `seed` and any fields of `Identity` that replace the seed's.

    Raises:
        Problem: there is no seed, or a field is unknown or out of its range.
    """
    fields = dict(fields)
    seed = fields.pop("seed", None)
    where = f"params.yaml, performers.{name}"
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise Problem(f"its seed is {seed!r}", where=f"{where}.seed", mend="give a whole number from 0")
    return Identity.from_settings(seed, fields, where=where)
