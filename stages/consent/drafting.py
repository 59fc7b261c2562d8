"""Asks for what a record must say, with the answers that are known already as defaults."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

from stages.artifacts.files import sha256_of
from stages.consent.evidence import clip_sha256, face_commitment, require_pictures
from stages.consent.filing import present, prior_hash
from stages.consent.gate import require_rendered
from stages.consent.keys import PRIVATE, face_key
from stages.consent.merkle import footage_root
from stages.consent.reading import FOLDER, all_records, consent_path, is_version_1, parse_record
from stages.consent.record import ALWAYS_PROHIBITED, MINING_USES, SCHEMA_VERSION, Consent
from stages.problems import Problem
from stages.settings import Params, rendered_clips

Ask = Callable[[str, str | None], str]
"""(question, default) -> answer"""


@dataclass(frozen=True)
class Question:
    """One thing to ask.

    Attributes:
        field: of the record, as a dotted path.
        text: as it is asked.
        several: whether the answer is a list, with commas between.
        of_persons: whether it makes no sense for a rendered performer.
        optional: whether the answer may be empty; then the record does not say it.
    """

    field: str
    text: str
    several: bool = False
    of_persons: bool = False
    optional: bool = False


QUESTIONS: Final = (
    Question("record_id", "Id of this record, yours and unique (a contract's number)"),
    Question("kind", "Is this a real person or a rendered performer? (person, synthetic)"),
    Question("pii_principal_id", "By which name is the person known here? A pseudonym will do"),
    Question("adult_attestation", "Has the person attested to be an adult? (yes, no)"),
    Question("represented_by", "Who spoke for the person? (self, counsel, union, estate)", of_persons=True),
    Question("pii_controllers", "Who is answerable for the use?", several=True),
    Question("purpose", "What for, in plain words? Say project and scenes"),
    Question("roles", "Used as what? (source: their likeness put on; target: their performance kept; training)", True),
    Question("pairings", "With which other identities?", several=True),
    Question("clips", "Which clips of params.yaml?", several=True),
    Question("prohibited_content", "What must not be made?", several=True),
    Question("media", "Where may it be shown? (film, television, streaming, internal ...)", several=True),
    Question("geographic_restrictions", "In which territory?"),
    Question("jurisdiction", "Whose law is the document under? (empty: it does not say)", optional=True),
    Question(
        "privacy_notice", "Where is the privacy notice that the person was given? (empty: nowhere)", optional=True
    ),
    *(
        Question(f"training_and_mining.{use}", f"May others {what} the results? (allowed, notAllowed, constrained)")
        for use, what in {
            "ai_generative_training": "train AI that makes pictures or sound on",
            "ai_training": "train other AI on",
            "ai_inference": "have AI look at",
            "data_mining": "mine data from",
        }.items()
    ),
    Question(
        "training_and_mining.constraints",
        "Bound to what, where that is constrained? It is published: name nobody (empty: nothing is constrained)",
        optional=True,
    ),
    Question("term.given", "First day on which it holds (year-month-day)"),
    Question("term.expires", "Last day", of_persons=True),
    Question("retention_period.destroy_by", "By when is all that shows the person destroyed?", of_persons=True),
    Question("retention_period.schedule", "What is destroyed then, by whom, how?"),
    Question("withdrawal_method", "How does the person withdraw? An address that is read"),
    Question("compensation_reference", "Which contract or payment settles the compensation? No sums"),
    Question(
        "evidence.document.path",
        "File of the signed document or video (empty: it is not here)",
        of_persons=True,
        optional=True,
    ),
    Question("evidence.document.kept", "Where is that document kept?", of_persons=True),
)


_NO_MORE: Final = "; - to say it no more"


def draft(
    identity: str,
    params: Params,
    ask: Ask,
    *,
    today: date,
    answers: Mapping[str, str] | None = None,
    folder: Path = FOLDER,
    private: Path = PRIVATE,
) -> Consent:
    """A record without signatures.

    What the record in force says and is not asked anew is taken over as it stands.

    Args:
        identity: of params.yaml.
        params: what there is.
        ask: for an answer.
        today: a default.
        answers: given beforehand, by field; what is in it is not asked.
        folder: of the records.
        private: of the private keys, for the commitment to the face.

    Raises:
        Problem: an answer does not fit; the message names the field. Or the face of a person can not be enrolled.
    """
    defaults = _defaults(identity, params, today, folder)
    given = dict(answers or {})
    unknown = given.keys() - {question.field for question in QUESTIONS} - {"evidence.document.sha256"}
    if unknown:
        raise Problem(
            f"there is no question '{min(unknown)}'",
            where="--set",
            mend=f"known: {', '.join(question.field for question in QUESTIONS)}",
        )
    before = _agreed_before(identity, folder)
    raw: dict[str, Any] = copy.deepcopy(before) | {"schema_version": SCHEMA_VERSION, "identity": identity}
    for question in QUESTIONS:
        if question.of_persons and raw.get("kind") == "synthetic":
            continue
        said = given.get(question.field)
        if said is None:
            default = defaults.get(question.field)
            said = ask(question.text + (_NO_MORE if question.optional and default else ""), default)
            if question.optional and said.strip() == "-":  # what is empty is taken for the default
                said = ""
        _take_out(raw, question.field)
        if said.strip() or question.several:
            _put(raw, question.field, _split(said) if question.several else _plain(question.field, said.strip()))
        if question.field == "kind":
            if raw.get("kind") != before.get("kind"):  # nothing that was agreed by a person is about a performer
                raw = {key: raw[key] for key in ("schema_version", "identity", "record_id", "kind") if key in raw}
            if raw.get("kind") == "person":
                require_pictures(identity, params)  # before all the other questions
    raw["prior_record_hash"] = prior_hash(identity, folder)
    if raw.get("kind") == "person":
        _add_evidence(raw, identity, params, given, ask, private)
    where = Path(f"answers about {identity}")
    record = parse_record(raw, where)
    require_rendered(record, record.clips, params, where)
    return record


def _add_evidence(
    raw: dict[str, Any], identity: str, params: Params, given: Mapping[str, str], ask: Ask, private: Path
) -> None:
    evidence = raw.setdefault("evidence", {})
    document = evidence.setdefault("document", {})
    if "path" in document:
        path = Path(document["path"])
        if not path.is_file():
            raise Problem(
                f"'{path}' is not there", where="evidence.document.path", mend="name the file, or leave it out"
            )
        document["sha256"] = sha256_of(path)
    else:
        said = given.get("evidence.document.sha256")
        document["sha256"] = said or ask("SHA-256 of that document (`sha256sum FILE` prints it)", None)
    hashes = _footage_hashes(raw["clips"], params, evidence.pop("footage", None))
    if hashes:
        evidence["footage"] = {"merkle_root": footage_root(hashes), "clips": hashes}
    pictures = params.identities[identity].reference
    if pictures:
        secret = face_key(private=private, make=True)
        assert secret is not None
        evidence["face"] = face_commitment(pictures, secret).model_dump()


def _footage_hashes(names: Sequence[str], params: Params, before: Mapping[str, Any] | None) -> dict[str, str] | None:
    """SHA-256 of each clip: of what lies here, else as it was agreed on before; None if one of them is not known."""
    rendered = rendered_clips(params)
    clips = {name: params.clips[name] for name in names if name in params.clips}
    there = {name: clip for name, clip in clips.items() if clip.path.exists() and clip.path not in rendered}
    known = {**(before or {}).get("clips", {}), **{name: clip_sha256(clip) for name, clip in there.items()}}
    return {name: known[name] for name in names} if known.keys() >= set(names) else None


def _agreed_before(identity: str, folder: Path) -> dict[str, Any]:
    """What the record in force says, but for what only it can say of itself; nothing if there is none of this version.

    Raises:
        Problem: it is not well formed.
    """
    before = present(identity, folder)
    if not isinstance(before, dict) or is_version_1(before):
        return {}
    agreed = parse_record(before, consent_path(identity, folder)).agreed
    return {field: value for field, value in agreed.items() if field not in ("record_id", "prior_record_hash")}


def _defaults(identity: str, params: Params, today: date, folder: Path) -> dict[str, str]:
    """What is known already: from params.yaml, then from the record in force."""
    casts = [params.cast_of(pair) for pair in params.pairs]
    others = {other for cast in casts if identity in cast for other in cast}
    known = {
        "record_id": _new_id(f"{identity}-{today.isoformat()}", folder),
        "kind": "person",
        "pii_principal_id": identity,
        "adult_attestation": "no",
        "represented_by": "self",
        "roles": "source, target, training",
        "pairings": ", ".join(sorted(others - {identity})),
        "clips": ", ".join(name for name, clip in params.clips.items() if clip.identity == identity),
        "prohibited_content": ", ".join([*ALWAYS_PROHIBITED, "political content", "endorsement of products"]),
        **{f"training_and_mining.{use}": "notAllowed" for use in MINING_USES},
        "term.given": today.isoformat(),
        "term.expires": today.replace(year=today.year + 1, day=min(today.day, 28)).isoformat(),
        "retention_period.destroy_by": today.replace(year=today.year + 2, day=min(today.day, 28)).isoformat(),
        "retention_period.schedule": "footage, face sets, models and intermediate files are deleted by the controller",
        **{question.field: "" for question in QUESTIONS if question.optional},
    }
    before = present(identity, folder)
    if not isinstance(before, dict):
        return known
    if is_version_1(before):
        taken = {
            "kind": "kind",
            "controller": "pii_controllers",
            "purpose": "purpose",
            "evidence": "evidence.document.kept",
        }
        known |= {field: str(before[old]) for old, field in taken.items() if before.get(old)}
        known |= {f"term.{name}": str(before[name]) for name in ("given", "expires") if before.get(name)}
        if isinstance(before.get("roles"), list):
            known["roles"] = ", ".join(map(str, before["roles"]))
        return known
    agreed, last = _agreed_before(identity, folder), known["retention_period.destroy_by"]
    for question in QUESTIONS:
        value = _get(agreed, question.field)
        if value is not None and question.field not in ("adult_attestation", "term.given", "term.expires"):
            known[question.field] = ", ".join(value) if isinstance(value, list) else str(value)
    if known["retention_period.destroy_by"] < known["term.expires"]:
        known["retention_period.destroy_by"] = last  # a longer term needs a later end of all that was made
    return known


def _new_id(base: str, folder: Path) -> str:
    """The id, or if it is taken, the first of base-2, base-3 and so on that is not."""
    taken = {record.record_id for _, record in all_records(folder)}
    offered = chain([base], (f"{base}-{number}" for number in count(2)))
    return next(each for each in offered if each not in taken)


def _split(said: str) -> list[str]:
    return [part.strip() for part in said.split(",") if part.strip()]


def _plain(field: str, said: str) -> str | bool:
    return said.lower() in ("yes", "y", "true") if field == "adult_attestation" else said


def _put(raw: dict[str, Any], field: str, value: object) -> None:
    *parts, last = field.split(".")
    for part in parts:
        raw = raw.setdefault(part, {})
    raw[last] = value


def _take_out(raw: dict[str, Any], field: str) -> None:
    *parts, last = field.split(".")
    for part in parts:
        raw = raw.get(part, {})
    raw.pop(last, None)


def _get(content: Any, field: str) -> Any:
    for part in field.split("."):
        content = content.get(part) if isinstance(content, Mapping) else None
    return content
