"""Until when consents hold, which end soon, and which have ended so that what was made under them must go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, Final, Literal

from flows.withdrawal import purge as removal
from flows.withdrawal.findings import Findings
from stages.atomic import whole_files
from stages.consent import FOLDER, Consent, read_consent, require_record
from stages.consent.gate import KEYS
from stages.consent.keys import PublicKey, TrustedKeys, private_folder, private_key
from stages.consent.withdrawal import revoke_marks, withdraw
from stages.problems import Problem, nearest
from stages.settings import Params

PASSPHRASE: Final = "LIKENESS_PASSPHRASE"

State = Literal["in force", "ends soon", "term over", "to be destroyed", "withdrawn", "not in force"]
"""``term over``: it allows nothing any more, but what there is may lie; ``to be destroyed``: that is over, too."""

Purge = Literal["nothing", "due", "expired"]
"""Of whom everything is removed: nobody; whoever withdrew or whose results were to be destroyed by now; those whose
term is over, too."""


@dataclass(frozen=True)
class Expiry:
    """How long a person's consent holds.

    Attributes:
        identity: whose.
        record: its id; empty if it can not be read.
        state: today's.
        expires: last day on which it holds.
        destroy_by: last day on which anything that shows the person may be kept.
        days: from today to the end of the term, below 0 if that is over; None without an end.
        revoked: whether it was ended before that.
        left: places and objects of the person's that were found here, looked for only where they are due to go.
        purged: whether these were removed.
        kept: footage that was to be destroyed, but that git keeps or that is another person's clip, too.
        problem: what stands against it, or why it was not purged.
    """

    identity: str
    record: str
    state: State
    expires: date | None = None
    destroy_by: date | None = None
    days: int | None = None
    revoked: bool = False
    left: int = 0
    purged: bool = False
    kept: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_due(self) -> bool:
        """Whether all that shows the person has to go."""
        return self.state in ("withdrawn", "to be destroyed")


def expiries(identities: Iterable[str], within_days: int, today: date | None = None) -> list[Expiry]:
    """How each person's consent stands; the working directory is the repository's folder.

    Args:
        identities: those of the settings; people who are not among them but have a record here count, too.
        within_days: what ends in so many days ends soon.
        today: another day than this one.
    """
    names = {*identities, *(path.stem for path in whole_files(FOLDER, "*.yaml"))}
    return [_expiry(name, within_days, today or date.today()) for name in sorted(names)]


def ending(found: Iterable[Expiry], within_days: int) -> list[Expiry]:
    """Those whose term ends in so many days, or is over, and that nobody ended before."""
    return [each for each in found if each.days is not None and each.days <= within_days and not each.revoked]


def purge_due(found: list[Expiry], params: Params, purge: Purge, key: str | None) -> list[Expiry]:
    """Remove all that was made of the people whose time is over; where nothing is left, nothing is done.

    A consent that nobody withdrew is ended first, signed with the key: tombstones need a record that has an end.

    Args:
        found: as :func:`expiries` gives it.
        params: the settings.
        purge: of whom.
        key: name of the private key, of a party to the records.
    """
    return [_purged(each, params, purge, key) if each.is_due or each.state == "term over" else each for each in found]


def _expiry(identity: str, within_days: int, today: date) -> Expiry:
    try:
        record = read_consent(identity)
    except Problem as problem:
        return Expiry(identity, "", "not in force", problem=problem.what)
    expires, destroy_by = record.term.expires, record.retention_period.destroy_by
    days = None if expires is None else (expires - today).days
    revoked = record.status == "revoked"
    known = partial(
        Expiry, identity, record.record_id, expires=expires, destroy_by=destroy_by, days=days, revoked=revoked
    )
    if destroy_by is not None and destroy_by < today:
        return known("to be destroyed")
    if revoked:
        return known("withdrawn")
    if days is not None and days < 0:
        return known("term over")
    try:
        require_record(identity, today=today)
    except Problem as problem:
        return known("not in force", problem=problem.what)
    return known("ends soon" if days is not None and days <= within_days else "in force")


def _purged(each: Expiry, params: Params, purge: Purge, key: str | None) -> Expiry:
    if not each.is_due and purge != "expired":
        return each
    over = each.state == "to be destroyed"  # the footage, too, where a withdrawal leaves that to whoever withdraws
    try:
        # A search through all that DVC ever wrote down: only for those who are due.
        found = removal.find(each.identity, params, with_footage=over)
        kept = [str(place) for place in found.footage.places if over and place not in found.footage.removable]
        each = replace(each, left=_count(found), kept=tuple(kept), problem=_unreached(found))
        if purge == "nothing" or not each.left:
            return each
        record, signer = read_consent(each.identity), _signer(key)
        if record.status != "revoked":
            _end(record, each, signer)
        revoke_marks(each.identity)
        done = removal.purge(each.identity, params, signer, with_footage=over)
    except Problem as problem:
        return replace(each, problem=f"{problem.where}: {problem.what} ({problem.mend})")
    except Exception as error:  # each kind of storage has its own, and other people's data are due, too
        return replace(each, problem=f"the search or the purge broke off: {str(error) or type(error).__name__}")
    return replace(each, purged=not done.failed, problem=_unreached(done.findings))


def _unreached(found: Findings) -> str:
    """Where nobody could look: what lies there is not destroyed, however little is left here."""
    return "; ".join(f"{name} was not reached: {why}" for name, why in found.unreached.items())


def _count(found: Findings) -> int:
    return len(found.places) + sum(len(each) for _, each in (*found.objects, *found.runs))


def _end(record: Consent, each: Expiry, signer: Callable[[], tuple[Any, PublicKey]]) -> None:
    over = each.destroy_by if each.state == "to be destroyed" else each.expires
    withdraw(record.identity, *signer(), day=date.today(), reason=f"the time that it was given for ended on {over}")


def _signer(key: str | None) -> Callable[[], tuple[Any, PublicKey]]:
    """Both halves of a key, asked for only when there is something to sign."""

    def sign() -> tuple[Any, PublicKey]:
        if key is None:
            raise Problem("no key is named to sign with", where="key", mend="name the key of a party to the record")
        keys = TrustedKeys.read(FOLDER / KEYS)
        if key not in keys.named:
            raise Problem(f"no key '{key}' is trusted here", where=keys.folder, mend=nearest(key, list(keys.named)))
        return private_key(key, os.environ.get(PASSPHRASE), private=private_folder()), keys.named[key]

    return sign
