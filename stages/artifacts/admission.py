"""The admission of a clip: which file of which person came in, and under which consent."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from stages.artifacts.files import REMAKE, read_facts, write_facts
from stages.atomic import whole_file
from stages.problems import Problem


class Admission(BaseModel):
    """What was found when the clip came in. It holds no date, so that the same clip gives the same bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip: str
    path: str
    """of the clip's file, as params.yaml says it"""
    identity: str
    consent: str
    """``id`` of the record that allowed it then; the stages that use the clip look at the present record again"""

    def write(self, place: Path) -> None:
        """As one JSON file.

        Raises:
            Problem: the disk is full or the file may not be written.
        """
        with whole_file(place) as scratch:
            write_facts(scratch, self.model_dump())

    @classmethod
    def read(cls, place: Path) -> Admission:
        """Raises: Problem if it is missing or damaged."""
        try:
            return cls.model_validate(read_facts(place))
        except ValidationError as error:
            raise Problem(f"it is no admission: {error.errors()[0]['msg']}", where=place, mend=REMAKE) from error
