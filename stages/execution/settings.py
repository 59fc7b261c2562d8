"""Where frame-wise work is done."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ExecutionSettings(BaseModel):
    """Section ``execution`` of params.yaml. No stage depends on it: where work is done changes no result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["here", "threads", "processes", "dask"] = Field(
        default="threads",
        description="who works on the frames of detection, alignment, conversion and compositing: the stage's own "
        "process, its threads, processes of this machine, or a Dask cluster (docs/scale.md); the results are the same",
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        description="how many threads or processes; if null, as many as there are processors, but 8 threads at most",
    )
    address: str | None = Field(
        default=None, description="of the cluster's scheduler, tcp://host:8786; if null, dask starts workers here"
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.address is not None and self.engine != "dask":
            raise ValueError(f"there is an address, but the engine is {self.engine} and not dask")
        if self.address is not None and self.workers is not None:
            raise ValueError("a cluster with an address has its own workers: take workers out")
        return self
