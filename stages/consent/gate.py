"""Lets a stage go on, or says what the consent lacks. Every stage that touches a person asks here first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from stages.artifacts.face_set import clips_of
from stages.audit import log as audit
from stages.consent.evidence import require_document
from stages.consent.keys import TrustedKeys
from stages.consent.reading import FOLDER, HISTORY, all_records, consent_path, hashes_in, read_consent
from stages.consent.record import Consent, Role
from stages.consent.signing import is_withdrawal_signed, require_signatures
from stages.problems import Problem, nearest
from stages.settings import Params, rendered_clips

KEYS: Final = "keys"
"""Folder of the trusted public keys, below that of the records."""

Noted = Literal["all", "refusals", "nothing"]
"""What goes into the audit log."""


@dataclass(frozen=True)
class Use:
    """What is to be done with a person's footage or likeness.

    Attributes:
        role: what for.
        clips: which of the person's clips.
        others: with which other identities.
    """

    role: Role
    clips: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def require_record(identity: str, *, today: date | None = None, folder: Path = FOLDER) -> Consent:
    """The record of an identity, if it holds today, for whatever use.

    Raises:
        Problem: there is none; it is withdrawn, over, not begun, replaced, not signed by all, altered since; its
            evidence is missing.
    """
    record, where, day = read_consent(identity, folder), consent_path(identity, folder), today or date.today()
    keys = TrustedKeys.read(folder / KEYS)
    _require_not_withdrawn(record, where, keys)
    require_signatures(record, keys, where)
    _require_in_time(record, where, day)
    _require_the_last_one(record, where, folder)
    require_document(record, where)
    return record


def require_use(
    identity: str, use: Use, params: Params, *, today: date | None = None, folder: Path = FOLDER
) -> Consent:
    """The record of an identity, if it allows this use today.

    Raises:
        Problem: as :func:`require_record`; or the role, a clip or another person is not in its scope; or it calls
            synthetic what the project does not render itself.
    """
    record, where = require_record(identity, today=today, folder=folder), consent_path(identity, folder)
    ask = f"have a record signed that says so: python -m stages.consent new {identity}"
    if use.role not in record.roles:
        raise Problem(f"roles: it does not allow '{use.role}', only {', '.join(record.roles)}", where=where, mend=ask)
    for clip in use.clips:
        if clip not in record.clips:
            told = nearest(clip, list(record.clips))
            raise Problem(f"clips: it does not cover the clip '{clip}'", where=where, mend=f"{ask} ({told})")
    for other in use.others:
        if other not in record.pairings:
            allowed = ", ".join(record.pairings) or "nobody"
            raise Problem(f"pairings: it does not allow '{other}', only {allowed}", where=where, mend=ask)
    require_rendered(record, use.clips, params, where)
    return record


def require_clip_consent(
    name: str, params: Params, stage: str, *, noted: Noted = "all", folder: Path = FOLDER
) -> Consent:
    """The record that lets a stage work on a clip.

    Raises:
        Problem: there is no such clip, or no consent to use it for training.
    """
    identity = params.clip(name).identity
    looks = {identity: lambda: require_use(identity, Use("training", clips=(name,)), params, folder=folder)}
    return _noted(stage, name, looks, noted)[identity]


def require_pair_consent(
    name: str, params: Params, *, noted: Noted = "all", folder: Path = FOLDER
) -> dict[str, Consent]:
    """The records, by identity, that let a pair and its companions be trained on all their clips.

    Raises:
        Problem: there is no such pair, or no consent of one of its cast to train with each other one.
    """
    looks = {identity: _look_at_training(identity, name, params, folder) for identity in params.cast_of(name)}
    return _noted("training", name, looks, noted)


def require_companion_consent(name: str, params: Params, *, noted: Noted = "all", folder: Path = FOLDER) -> Consent:
    """The record that lets a companion join its pair with all its clips.

    Raises:
        Problem: there is no such companion, or no consent of its own to train with each other one of the cast.
    """
    companion = params.companion(name)
    looks = {companion.identity: _look_at_training(companion.identity, companion.pair, params, folder)}
    return _noted("companions", name, looks, noted)[companion.identity]


def require_swap_consent(
    name: str, params: Params, stage: str, *, noted: Noted = "all", folder: Path = FOLDER
) -> dict[str, Consent]:
    """The records that let a stage work on a swap: of the ``source``, the ``target``, each ``companion <identity>``.

    A companion's likeness is not put on, but what its pair's encoder learnt from it is at work: so it is asked as for
    training.

    Raises:
        Problem: there is no such swap, or no consent of one of the two or of a companion of their pair.
    """
    swap = params.swap(name)
    source = Use("source", others=(swap.target,))
    target = Use("target", clips=(swap.clip,), others=(swap.source,))
    looks = {
        "source": lambda: require_use(swap.source, source, params, folder=folder),
        "target": lambda: require_use(swap.target, target, params, folder=folder),
        **{
            f"companion {identity}": _look_at_training(identity, swap.pair, params, folder)
            for identity in params.companions_of(swap.pair)
        },
    }
    return _noted(stage, name, looks, noted)


def _look_at_training(identity: str, pair: str, params: Params, folder: Path) -> Callable[[], Consent]:
    """Asks one of a pair's cast for training on all its clips, those that lie here too, with each other one."""
    clips = {clip for clip, each in params.clips.items() if each.identity == identity}
    made = Path("data/dataset") / identity
    clips |= {each.name for each in clips_of(made)} if made.is_dir() else set()
    others = tuple(other for other in params.cast_of(pair) if other != identity)
    use = Use("training", tuple(sorted(clips)), others)
    return lambda: require_use(identity, use, params, folder=folder)


def _noted(stage: str, item: str, looks: Mapping[str, Callable[[], Consent]], noted: Noted) -> dict[str, Consent]:
    """What the looks give, with a line in the audit log."""
    about: dict[str, Any] = {"stage": stage, "item": item}
    try:
        records = {name: look() for name, look in looks.items()}
    except Problem as problem:
        if noted != "nothing":
            audit.append("check", **about, result="refused", where=problem.where, what=problem.what)
        raise
    if noted == "all":
        told = {name: {"record_id": record.record_id, "hash": record.hash} for name, record in records.items()}
        audit.append("check", **about, result="allowed", records=told)
    return records


def _require_not_withdrawn(record: Consent, where: Path, keys: TrustedKeys) -> None:
    mend = f"take '{record.identity}' out of params.yaml; docs/consent.md, 'Withdrawal', says what must be removed"
    if record.status == "revoked":
        end = record.withdrawal
        if end is None:
            told = ""
        elif is_withdrawal_signed(record, keys, where):
            told = f" on {end.since} by the {end.by}"
        else:
            told = f" on {end.since} (by a signature that does not hold)"
        raise Problem(f"status: the consent was withdrawn{told}", where=where, mend=mend)
    if record.hash in audit.withdrawn():
        raise Problem(
            "status: the audit log says that this consent was withdrawn, the record does not: an older copy lies here",
            where=where,
            mend=f"take the withdrawn record from git again; {mend}",
        )


def _require_in_time(record: Consent, where: Path, day: date) -> None:
    term, renew = record.term, f"have it renewed: python -m stages.consent new {record.identity}"
    if record.retention_period.destroy_by is not None and record.retention_period.destroy_by < day:
        raise Problem(
            f"retention_period.destroy_by: all that shows the person was to be destroyed by "
            f"{record.retention_period.destroy_by}",
            where=where,
            mend="remove footage and results as its schedule says, and the person from params.yaml",
        )
    if term.given > day:
        raise Problem(f"term.given: it starts on {term.given}", where=where, mend="wait, or have it signed anew")
    if term.expires is not None and term.expires < day:
        raise Problem(f"term.expires: it ended on {term.expires}", where=where, mend=renew)
    for party, signature in record.signatures.items():
        if signature.signed > day:
            raise Problem(
                f"signatures.{party}: it is dated {signature.signed}, which is yet to come",
                where=where,
                mend="set this machine's clock right, or have it signed again",
            )


def _require_the_last_one(record: Consent, where: Path, folder: Path) -> None:
    for path, other in all_records(folder):
        if path == where:
            continue
        if other.prior_record_hash == record.hash:
            raise Problem(
                f"it was superseded by the record '{other.record_id}'", where=where, mend=f"put {path} in its place"
            )
        if other.record_id == record.record_id:
            raise Problem(
                f"record_id: {path} has the same, '{record.record_id}'",
                where=where,
                mend="each record needs an id of its own; have one of the two made and signed anew",
            )
    before = folder / HISTORY
    if record.prior_record_hash is not None and record.prior_record_hash not in hashes_in(before):
        raise Problem(
            "prior_record_hash: the record that this one replaces is not there, or was altered",
            where=where,
            mend=f"bring it back from git, into {before}",
        )


def require_rendered(record: Consent, clips: Sequence[str], params: Params, where: Path | str) -> None:
    """A record of nobody, which needs no person's signature, is about nothing but what the project renders itself.

    That holds whoever signs it: a controller must not call a person synthetic over their own signature. All clips of
    the identity are looked at with those that are asked for: a likeness that is put on comes from any of them.

    Raises:
        Problem: it is of kind ``synthetic``, and a clip is another one.
    """
    if record.kind != "synthetic":
        return
    rendered = rendered_clips(params)
    theirs = {name for name, clip in params.clips.items() if clip.identity == record.identity}
    for name in sorted(theirs | set(clips)):
        path = params.clips[name].path if name in params.clips else None
        if path not in rendered:
            raise Problem(
                f"kind: a 'synthetic' record is about performers that are rendered here, and clip '{name}' "
                + (f"({path}) is not" if path else "is none of params.yaml"),
                where=where,
                mend="if it shows a person, have them sign a record of kind 'person': "
                f"python -m stages.consent new {record.identity}; else name the clip's rendering under performances "
                "of params.yaml",
            )
