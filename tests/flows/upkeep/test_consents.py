"""Whose consent ends is read in one place, for the flow that tells of it and for those that act on it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from flows.maintenance.consents import ending, expiries
from stages.consent.withdrawal import withdraw
from tests.records import STUDIO, public, put_record, secret

TODAY = date(2030, 5, 1)


def put(folder: Path, identity: str, days: int) -> None:
    """A record whose term ends after so many days."""
    expires = TODAY + timedelta(days=days)
    put_record(folder, identity, term={"given": "2020-01-01", "expires": expires.isoformat()})


def test_what_ends_soon_or_is_over_counts_and_what_was_ended_does_not(workplace: Path) -> None:
    folder = workplace / "data" / "consent"
    for identity, days in (("ada", 30), ("ben", 31), ("cyd", -1), ("eve", -1)):
        put(folder, identity, days)
    withdraw("eve", secret("studio"), public("studio", STUDIO, "controller"), day=TODAY)
    (folder / "fay.yaml").write_text("nonsense: 1\n")

    seen = expiries(["gil"], 30, TODAY)

    assert {each.identity: (each.state, each.days) for each in seen} == {
        "ada": ("ends soon", 30),
        "ben": ("in force", 31),
        "cyd": ("term over", -1),
        "eve": ("withdrawn", -1),
        "fay": ("not in force", None),
        "gil": ("not in force", None),
    }
    assert [each.identity for each in ending(seen, 30)] == ["ada", "cyd"]
    assert [each.identity for each in seen if not each.record] == ["fay", "gil"]
