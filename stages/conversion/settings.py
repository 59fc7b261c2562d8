"""Settings of the conversion stage."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ConversionSettings(BaseModel):
    """Section `conversion` of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="cpu", description="auto takes a CUDA GPU if there is one; another device, other last digits"
    )
    threads: int = Field(
        default=1, ge=1, description="of the CPU, within one operator; `execution` says who works side by side"
    )
    batch: int = Field(default=16, ge=1, description="faces that pass the network together")
