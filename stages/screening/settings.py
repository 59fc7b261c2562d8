"""Settings of the content gate, which looks at what comes in and at what is delivered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stages.onnx import Device


class ScreeningSettings(BaseModel):
    """Section ``screening`` of params.yaml; the stages ``screening`` and ``encoding`` obey it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nudity: Literal["refuse", "ignore"] = Field(
        default="refuse", description="what to do with clips and deliverables that show it; ignore does not look"
    )
    threshold: float = Field(
        default=0.8,
        gt=0.0,
        le=1.0,
        description="score of the network (open_nsfw, 0 to 1) from which a picture is refused; its authors call less "
        "than 0.2 safe and more than 0.8 most likely not",
    )
    per_second: float = Field(
        default=2.0, gt=0.0, le=240.0, description="pictures a second to look at, at least; the first of each shot too"
    )
    alike: int = Field(
        default=3,
        ge=0,
        description="of a deliverable's pictures that are due, so many in a row may pass without a look if they show "
        "nothing new beside the clip's own of that moment or, if nobody looked at that, the one last looked at; 0 "
        "looks at each. Clips that come in are always looked at",
    )
    device: Device = Field(default="auto", description="where the network runs: auto, cpu or cuda")
    threads: int = Field(default=2, ge=1, description="of the network, on the CPU")
