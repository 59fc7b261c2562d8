"""The screening of a clip: how many of its pictures were looked at, and what was found in them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from stages.artifacts.files import REMAKE, read_facts, write_facts
from stages.atomic import whole_file
from stages.problems import Problem


class Screening(BaseModel):
    """What the content gate saw. It does not hold the threshold: another one that lets the clip in changes no byte."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip: str
    consent: str
    """``id`` of the record that allowed to look at it"""
    network: str | None
    """its name; None if the settings say not to look"""
    looked_at: int
    """pictures"""
    highest: float | None
    """score of the picture that is nearest to nudity, 0 to 1"""
    frame: int | None
    """that picture's number"""

    def write(self, place: Path) -> None:
        """As one JSON file.

        Raises:
            Problem: the disk is full or the file may not be written.
        """
        with whole_file(place) as scratch:
            write_facts(scratch, self.model_dump())

    @classmethod
    def read(cls, place: Path) -> Screening:
        """Raises: Problem if it is missing or damaged."""
        try:
            return cls.model_validate(read_facts(place))
        except ValidationError as error:
            raise Problem(f"it is no screening: {error.errors()[0]['msg']}", where=place, mend=REMAKE) from error
