"""The cast of a pair: which further identities learn under its encoder, from which faces, by which consent."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from stages.artifacts.files import REMAKE, read_facts, write_facts
from stages.atomic import whole_file, whole_files
from stages.problems import Problem

CASTS: Final = Path("data/cast")
"""A folder for each pair: ``cast.json`` names its companions, ``companions/<identity>.json`` tells of each."""


def write_cast(pair: str, companions: Collection[str]) -> None:
    """Name the companions of a pair; what is told of others, who are companions no more, is removed.

    Raises:
        Problem: the disk is full or the file may not be written.
    """
    with whole_file(CASTS / pair / "cast.json") as scratch:
        write_facts(scratch, {"companions": list(companions)})
    for told in whole_files(_companions(pair), "*.json"):
        if told.stem not in companions:
            told.unlink()


class CompanionFaces(BaseModel):
    """The faces of a companion, as they were when it joined the pair."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: str
    consent: str
    """``id`` of the record that allowed it then; training looks at the present record again"""
    data: dict[str, str]
    """SHA-256 of each of its face sets, by the clip's name"""

    def write(self, pair: str) -> None:
        """As one JSON file.

        Raises:
            Problem: the disk is full or the file may not be written.
        """
        with whole_file(_companions(pair) / f"{self.identity}.json") as scratch:
            write_facts(scratch, self.model_dump())

    @classmethod
    def read(cls, pair: str, identity: str) -> CompanionFaces:
        """Raises: Problem if it is missing or damaged."""
        place = _companions(pair) / f"{identity}.json"
        try:
            return cls.model_validate(read_facts(place))
        except ValidationError as error:
            raise Problem(f"it tells of no companion: {error.errors()[0]['msg']}", where=place, mend=REMAKE) from error


def _companions(pair: str) -> Path:
    return CASTS / pair / "companions"
