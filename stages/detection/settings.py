"""Settings of the detection stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stages.onnx import Device

Tilted = Literal["never", "missed", "always"]
"""When faces on their side and upside down are looked for."""

Unenrolled = Literal["refuse", "warn"]
"""What happens to a person whose face was not enrolled, or where nobody can check that it is theirs."""


class DetectionSettings(BaseModel):
    """Section ``detection`` of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pack: str = Field(
        default="open", description="the networks: 'open', or an InsightFace pack (non-commercial research only)"
    )
    minimum_face: float = Field(
        default=48.0, ge=12.0, description="height in frame pixels of the smallest face to find; smaller is slower"
    )
    score: float = Field(default=0.5, gt=0.0, lt=1.0, description="least score of a candidate for a face")
    confirmed: float = Field(
        default=0.5, ge=0.0, lt=1.0, description="least certainty of the landmark network that it is one; 0 keeps all"
    )
    every: int = Field(
        default=5,
        ge=1,
        le=30,
        description="look at every n-th frame of a shot, and at those between where faces come, go, pass or move far; "
        "elsewhere a face lies between where it was seen before and after (footage.md); 1 looks at all",
    )
    tilted: Tilted = Field(
        default="missed",
        description="look for heads that are tilted by more than 30 degrees, on their side or upside down, from twice "
        "`minimum_face` on, at the price of four upright looks: never; missed: in frames without a face, with fewer "
        "faces than others of the shot or with a doubtful one, once in the middle of each shot, and in all of a shot "
        "in which one is found; always",
    )
    gap: int = Field(
        default=12, ge=0, le=250, description="frames that a face may be hidden within a shot and still be followed"
    )
    same_person: float | None = Field(
        default=None, gt=-1.0, lt=1.0, description="cosine similarity of one person's faces; if null, the pack's own"
    )
    unenrolled: Unenrolled = Field(
        default="refuse",
        description="a person whose consent record commits to no reference pictures, or whose commitment can not be "
        "checked on this machine: refuse, or warn and go by what pictures there are, else by the clip's dominant face "
        "(consent.md); rendered performers need none",
    )
    device: Device = Field(default="auto", description="where the networks run: auto, cpu or cuda")
    threads: int = Field(
        default=1, ge=1, description="of the networks, on the CPU; `execution` says who works side by side"
    )
