"""The flow that keeps cache, remotes and consents right: nothing is removed unless it is asked to."""

# No postponed annotations here, as in flows/reproduction.py: Prefect builds the parameters' model from the live ones.
from collections import Counter
from contextlib import chdir
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

from prefect import State, flow
from prefect.artifacts import create_table_artifact
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed
from pydantic import Field

from flows.environment import find_root
from flows.maintenance.consents import Expiry, Purge, expiries, purge_due
from flows.maintenance.garbage import Garbage, collect
from flows.maintenance.verification import Scope, Verified, verify
from flows.sizes import size_of
from stages.problems import Problem
from stages.settings import load_params


@dataclass(frozen=True)
class Maintained:
    """What was found, and done about it.

    Attributes:
        consents: how each person's consent stands.
        verified: which objects of the stores are corrupt.
        garbage: what of the cache nothing needs; None if that could not be told.
        problems: what kept a part of it from being done.
    """

    consents: list[Expiry]
    verified: Verified
    garbage: Garbage | None
    problems: list[str]

    def rows(self) -> list[dict[str, Any]]:
        """All of it as one table: ``about``, ``name``, ``state``, ``detail``."""
        return [*self._of_consents(), *self._of_stores(), *self._of_garbage()]

    def _of_consents(self) -> list[dict[str, Any]]:
        return [
            _row("consent", each.identity, "purged" if each.purged else each.state, _about(each))
            for each in self.consents
        ]

    def _of_stores(self) -> list[dict[str, Any]]:
        seen = self.verified
        bad = Counter(each.store for each in seen.corrupt)
        read = [
            _row("store", name, "read", f"{count} objects, {bad[name]} corrupt") for name, count in seen.objects.items()
        ]
        objects = [
            _row(
                "object",
                each.object,
                "removed" if each.removed else "corrupt",
                f"{each.store}: {each.named}; {each.mend}",
            )
            for each in seen.corrupt
        ]
        return [*read, *objects, *(_row("store", name, "not reached", why) for name, why in seen.unreached.items())]

    def _of_garbage(self) -> list[dict[str, Any]]:
        if self.garbage is None:
            return []
        told = f"{self.garbage.objects} objects, {size_of(self.garbage.size)}; {self.garbage.kept} are needed"
        return [_row("garbage", "DVC's cache", "removed" if self.garbage.removed else "counted", told)]


@flow(name="maintain", persist_result=False)
def maintain(
    collect_garbage: bool = False,
    keep_days: Annotated[int, Field(ge=0)] = 30,
    shared_with: list[str] | None = None,
    verify_objects: Scope = "cache",
    remove_corrupt: bool = False,
    expire_within_days: Annotated[int, Field(ge=0)] = 30,
    purge: Purge = "nothing",
    key: str | None = None,
    repository: str = ".",
) -> State[Maintained]:
    """Look after the cache, the remotes and the consents: what is due is told, and done only where it is asked for.

    Args:
        collect_garbage: remove from DVC's cache what nothing needs; without it that is only counted.
        keep_days: needed is what a commit of the last so many days names; and the working tree, branches and tags.
        shared_with: folders of other projects that use the same cache, so that what they need stays.
        verify_objects: which stores are read whole, to find corrupt objects; remotes cost what reading them costs.
        remove_corrupt: remove corrupt objects that are made or fetched again; others are only named.
        expire_within_days: consents that end in so many days are told as ending soon.
        purge: of whom all is removed: "due" is who withdrew or whose retention is over; "expired" whose term is, too.
        key: name of the private key that signs what a purge has to sign; its passphrase is in LIKENESS_PASSPHRASE.
        repository: a folder of the DVC repository.

    Returns:
        Completed or Failed, with what was found; Failed where something is corrupt, or due and not done.
    """
    logger = get_run_logger()
    problems: list[str] = []
    consents: list[Expiry] = []
    verified, garbage = Verified({}, (), {}), None
    try:
        root = find_root(Path(repository))
        with chdir(root):
            params = load_params()
            # Purges come first: what they remove needs no reading, and is no garbage that somebody may keep.
            consents = purge_due(expiries(params.identities, expire_within_days), params, purge, key)
            verified = verify(root, verify_objects, remove=remove_corrupt)
            others = [Path(each) for each in shared_with or ()]
            since = date.today() - timedelta(days=keep_days)
            garbage = collect(root, since, remove=collect_garbage, projects=others)
    except Problem as problem:
        problems.append(str(problem))
    done = Maintained(consents, verified, garbage, problems)
    rows = done.rows()
    for row in rows:
        logger.info("%(about)s %(name)s: %(state)s (%(detail)s)", row)
    create_table_artifact(key="maintenance", table=rows, description="Consents, stores, corrupt objects, garbage.")
    wrong = wrong_of(done)
    if wrong:
        return Failed(message="\n".join(wrong), data=done)
    return Completed(message=told_of(done), data=done)


def wrong_of(done: Maintained) -> list[str]:
    """What somebody has to look at."""
    corrupt = [
        f"{each.store}, {each.object}: it is corrupt ({each.named})\n  mend: {each.mend}"
        for each in done.verified.corrupt
        if not each.removed
    ]
    unreached = [f"{name}: it was not reached ({why})" for name, why in done.verified.unreached.items()]
    due = [
        f"consent of '{each.identity}': {each.state}, and {each.left} places and objects lie here\n"
        "  mend: `likeness maintain --purge due --key KEY`"
        for each in done.consents
        if each.is_due and each.left and not each.purged
    ]
    kept = [
        f"consent of '{each.identity}': {each.state}, and this footage no purge removes: {', '.join(each.kept)}\n"
        "  mend: remove it by hand, from git's history as well if it is there"
        for each in done.consents
        if each.kept
    ]
    failed = [
        f"consent of '{each.identity}': {each.problem}"
        for each in done.consents
        if each.problem and (each.is_due or each.state == "term over")
    ]
    return [*done.problems, *due, *kept, *failed, *corrupt, *unreached]


def told_of(done: Maintained) -> str:
    """What there is to say if all is well."""
    soon = [f"{each.identity} on {each.expires}" for each in done.consents if each.state in ("ends soon", "term over")]
    purged = [each.identity for each in done.consents if each.purged]
    removed = sum(each.removed for each in done.verified.corrupt)
    parts = [
        f"consents end: {', '.join(soon)}" if soon else "",
        f"all of these was removed: {', '.join(purged)}" if purged else "",
        f"{sum(done.verified.objects.values())} objects read" if done.verified.objects else "",
        f"{removed} corrupt ones removed: run what makes them" if removed else "",
    ]
    if done.garbage is not None:
        does = "removed" if done.garbage.removed else "could go (collect_garbage)"
        parts.append(f"{done.garbage.objects} objects that nothing needs ({size_of(done.garbage.size)}) {does}")
    return "; ".join(part for part in parts if part)


def _row(about: str, name: str, state: str, detail: str) -> dict[str, Any]:
    return {"about": about, "name": name, "state": state, "detail": detail}


def _about(each: Expiry) -> str:
    parts = [
        f"record {each.record}" if each.record else "",
        f"to {each.expires}" if each.expires else "",
        f"{each.days} days" if each.days is not None else "",
        f"destroyed by {each.destroy_by}" if each.destroy_by else "",
        f"{each.left} places and objects" if each.left else "",
        f"kept: {', '.join(each.kept)}" if each.kept else "",
        each.problem,
    ]
    return ", ".join(part for part in parts if part)
