"""Settings of the alignment stage."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from stages.onnx import Device


class AlignmentSettings(BaseModel):
    """Section ``alignment`` of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smooth_landmarks: float = Field(
        default=0.8, ge=0.0, le=20.0, description="width in frames (sigma) of the landmarks' filter; 0 is off"
    )
    smooth_transform: float = Field(
        default=2.0, ge=0.0, le=50.0, description="width in frames (sigma) of the transform's filter; 0 is off"
    )
    confidence: float = Field(
        default=0.5, ge=0.0, lt=1.0, description="landmarks less sure than this are taken from the frames around"
    )
    device: Device = Field(default="auto", description="where the network runs: auto, cpu or cuda")
    threads: int = Field(
        default=1, ge=1, description="of the network, on the CPU; `execution` says who works side by side"
    )
