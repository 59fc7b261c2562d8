"""Layered deliveries of a person by the audit log: they lie wherever whoever asked for them wanted them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stages.artifacts.files import read_facts
from stages.audit import log as audit
from stages.consent import FOLDER
from stages.consent.reading import all_records
from stages.disclosure import LAYERS
from stages.problems import Problem


@dataclass(frozen=True)
class Handed:
    """Where they were written.

    Attributes:
        inside: folders of the project in which layers of the person lie, from its own folder.
        outside: places elsewhere, as the log names them, whether anything lies there still or not.
    """

    inside: list[Path]
    outside: list[str]

    @classmethod
    def of(cls, identity: str, root: Path) -> Handed:
        """Ask the log, by the ids of all records that the person ever had.

        Raises:
            Problem: a line about a delivery is damaged.
        """
        records = {record.record_id for _, record in all_records(root / FOLDER) if record.identity == identity}
        inside, outside = set(), set()
        for entry in audit.entries("delivery", root / audit.FOLDER):
            if "layers" not in entry or not records & set(entry.get("consent", {}).values()):
                continue
            place = (root / str(entry["layers"])).resolve()
            if not place.is_relative_to(root.resolve()):
                outside.add(str(entry["layers"]))
            elif _is_about(place, records):
                inside.add(place.relative_to(root.resolve()))
        return cls(sorted(inside), sorted(outside))


def _is_about(place: Path, records: set[str]) -> bool:
    """Whether a folder holds layers that rest on one of these records now: others' may have taken its place."""
    try:
        facts = read_facts(place / LAYERS)
        return bool(records & set(facts["consent"].values()))
    except (Problem, OSError, KeyError, AttributeError):
        return False
