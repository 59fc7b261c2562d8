"""Layered deliveries of a person by the audit log: they lie wherever whoever asked for them wanted them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.withdrawal.places import halves_of
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
        inside: folders of the project in which layers of the person lie, whole or cut off by a kill, from its folder.
        halves: folders elsewhere of deliveries that were cut off, absolute: nobody was handed them.
        outside: places elsewhere, as the log names them, whether anything lies there still or not: of deliveries, and
            of begun ones where nobody can look whether something was left.
    """

    inside: list[Path]
    halves: list[Path]
    outside: list[str]

    @classmethod
    def of(cls, identity: str, root: Path) -> Handed:
        """Ask the log, by the ids of all records that the person ever had.

        Raises:
            Problem: a line about a delivery is damaged.
        """
        records = {record.record_id for _, record in all_records(root / FOLDER) if record.identity == identity}
        root = root.resolve()
        found: set[Path] = set()
        outside: set[str] = set()
        for event in ("begun", "delivery"):
            for entry in audit.entries(event, root / audit.FOLDER):
                if "layers" not in entry or not records & set(entry.get("consent", {}).values()):
                    continue
                named = str(entry["layers"])
                place = root / named
                left = _halves(place)
                found |= {half for half in left or () if _is_about(half, records)}
                if place.resolve().is_relative_to(root):
                    found |= {place.resolve()} if _is_about(place, records) else set()
                elif event == "delivery" or left is None:
                    outside.add(named)
        inside = {path.relative_to(root) for path in found if path.is_relative_to(root)}
        halves = {path for path in found if not path.is_relative_to(root)}
        return cls(sorted(inside), sorted(halves), sorted(outside))


def _halves(place: Path) -> list[Path] | None:
    """What lies beside a place of deliveries that did not end; None if nobody can look there: a disk was taken out."""
    try:
        home = place.parent.resolve()
        return list(halves_of(home / place.name)) if home.is_dir() else None
    except OSError:
        return None


def _is_about(place: Path, records: set[str]) -> bool:
    """Whether a folder holds layers that rest on one of these records now: others' may have taken its place."""
    try:
        facts = read_facts(place / LAYERS)
        return bool(records & set(facts["consent"].values()))
    except (Problem, OSError, KeyError, AttributeError):
        return False
