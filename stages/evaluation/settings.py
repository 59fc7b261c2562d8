"""What can be set about evaluation."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from stages.onnx import Device


class EvaluationSettings(BaseModel):
    """Section ``evaluation`` of params.yaml. More frames give steadier figures and take longer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: int = Field(
        default=96,
        ge=2,
        description="most frames that are measured, spread evenly; half of them held-out ones if there are enough",
    )
    references: int = Field(
        default=16, ge=1, description="faces of each identity whose mean embedding stands for that person"
    )
    pack: str = Field(default="open", description="the networks that recognise and place landmarks; see detection.pack")
    device: Device = Field(default="cpu", description="where the networks run: auto, cpu or cuda")
    threads: int = Field(default=2, ge=1, description="of the networks, on the CPU")
    pictures: int = Field(default=16, ge=1, le=60, description="frames that the report shows")
    picture_width: int = Field(default=300, ge=64, le=1280, description="width in pixels of a picture in the report")
    picture_quality: int = Field(default=82, ge=30, le=100, description="JPEG quality of the report's pictures")
