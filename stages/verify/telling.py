"""Findings for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from stages.credentials.manifest import COMPOSITE, CONSENT, LINEAGE
from stages.credentials.reading import Credential, Trust, mappings
from stages.verify.findings import Findings, Status
from stages.verify.mark import identifier_text

_CONCLUSIONS: Final = {
    Status.TRUSTED: "a valid credential by a signer whom you trust",
    Status.NOTHING: "neither a credential nor our mark: nothing is known of this file",
    Status.UNPROVEN: "a valid credential, but nobody whom you trust vouches for who signed",
    Status.INVALID: "a credential that does not hold: something was altered, or the certificate is no good",
    Status.MARK_ONLY: "our mark, but no credential: it was removed, or the file was encoded again",
    Status.DECLARED: "no credential and no mark, but its metadata says that AI had a hand in it, as anybody can write",
    Status.REVOKED: "made with a consent that was withdrawn since: it must not be shown any more",
}

_TRUST: Final[dict[Trust, str]] = {
    "trusted": "an authority on your list vouches for the signer",
    "development": "signed with the development certificate, with which anybody can sign: no proof of who made it",
    "self-signed": "the certificate signs itself: no proof of who made it",
    "unknown": "no authority on your list vouches for the signer",
}


_SMALLEST: Final = 1e-30
"""Chances below this are not told apart."""


def as_document(findings: Findings) -> dict[str, Any]:
    """For machines; docs/credentials.md describes it."""
    credential, mark = findings.credential, findings.mark
    return {
        "file": str(findings.path),
        "status": int(findings.status),
        "conclusion": findings.status.name.lower().replace("_", "-"),
        "fired": fired(findings),
        "credential": _document(credential) if credential else None,
        "mark": {
            "looked": mark.looked,
            "said": mark.said,
            "found": [
                {
                    "identifier": identifier_text(each.identifier),
                    "confidence": each.confidence,
                    "false_alarm": each.false_alarm,
                    "start": each.start,
                    "end": each.end,
                }
                for each in mark.readings
            ],
        },
        "registry": [
            {"identifier": each.identifier, "status": each.status, "since": each.since, "lineage": each.lineage}
            for each in findings.entries
        ],
        "kept_credential": _document(findings.kept) if findings.kept else None,
        "declared": dict(findings.declared),
    }


def as_text(findings: Findings) -> str:
    """For people."""
    lines = [f"{findings.path}: {_CONCLUSIONS[findings.status]}"]
    if findings.credential is not None:
        lines += _lines(findings.credential)
    else:
        lines.append("credential: none")
    for each in findings.mark.readings:
        chance = f"the chance that unmarked pictures give this is below {max(each.false_alarm, _SMALLEST):.0e}"
        lines.append(f"mark: {identifier_text(each.identifier)}, {each.start:.1f} s to {each.end:.1f} s; {chance}")
    if not findings.mark.readings:
        lines.append(f"mark: none{' that can be read' if findings.mark.looked else ''}")
    if findings.mark.said:
        lines.append(f"  {findings.mark.said}")
    known = {entry.identifier: entry for entry in findings.entries}
    for identifier in dict.fromkeys((*findings.mark.identifiers, *known)):
        entry = known.get(identifier)
        told = "unknown here" if entry is None else entry.status + (f" since {entry.since}" if entry.since else "")
        lines.append(f"registry: {identifier} is {told}")
    lines += [f"its metadata says: {name}: {value}" for name, value in findings.declared.items()]
    if findings.kept is not None:
        lines.append("what the registry kept of its credential:")
        lines += [f"  {line}" for line in _lines(findings.kept)]
    return "\n".join(_printable(line) for line in lines)


def fired(findings: Findings) -> list[str]:
    """Which of the techniques found something: ``credential``, ``mark``, ``registry``, ``metadata``."""
    found = {
        "credential": findings.credential,
        "mark": findings.mark.readings,
        "registry": findings.entries,
        "metadata": findings.declared,
    }
    return [name for name, value in found.items() if value]


def _document(credential: Credential) -> dict[str, Any]:
    return {
        "where": credential.where,
        "valid": credential.valid,
        "trust": credential.trust,
        "development": credential.trust == "development",
        "failures": [{"code": code, "explanation": said} for code, said in credential.failures],
        "signer": {
            "name": credential.signer,
            "issuer": credential.issuer,
            "algorithm": credential.algorithm,
            "expires": credential.expires,
        },
        "signed_at": vars(credential.stamp) if credential.stamp else None,
        "made_with": _software(credential),
        "actions": [_action(each) for each in credential.actions],
        "altered_by_ai": _by_ai(credential.all_actions),
        "altered_before": not _by_ai(credential.actions) and _by_ai(credential.all_actions),
        "ingredients": [
            {key: each.get(key) for key in ("title", "relationship", "format", "instance_id") if each.get(key)}
            for each in mappings(credential.manifest.get("ingredients"))
        ],
        "consent": (credential.handed_on(CONSENT) or {}).get("records"),
        "lineage": (credential.handed_on(LINEAGE) or {}).get("root"),
        "delivery": credential.delivery,
        "label": credential.manifest.get("label"),
    }


def _lines(credential: Credential) -> Iterator[str]:
    told = _document(credential)
    yield f"credential: {'valid' if credential.valid else 'not valid'}, in the {credential.where}"
    for code, said in credential.failures:
        yield f"  {code}: {said}"
    if not credential.manifest:
        return
    yield f"signer: {credential.signer or 'unknown'}; {_TRUST[credential.trust]}"
    if stamp := credential.stamp:
        vouched = (
            "an authority on your list vouches for it" if stamp.trusted else "no authority on your list does for it"
        )
        yield f"signed at: {stamp.time}, as the time stamp of {stamp.by or 'somebody without a name'} says; {vouched}"
    yield f"made with: {', '.join(told['made_with']) or 'unknown'}"
    if told["altered_by_ai"]:
        whose = " in what this was made from" if told["altered_before"] else ""
        yield f"altered by AI: yes, a part of the pictures{whose} was made by a trained algorithm"
    for action in told["actions"]:
        yield f"  {action['action']}{': ' + action['description'] if action.get('description') else ''}"
    for each in told["ingredients"]:
        named = f"{each.get('title', 'without a name')} ({each.get('relationship', '?')})"
        yield f"made from: {named}, {each.get('instance_id', '')}"
    for record in mappings(told["consent"]):
        yield f"consent: {record.get('role')} {record.get('record_id')} ({record.get('kind')})"
    if told["delivery"] == "layers":
        yield "delivery: layers to lay over the clip; the composite that is made of them needs marks of its own"
    if told["lineage"]:
        yield f"lineage: {told['lineage']}"


def _software(credential: Credential) -> list[str]:
    given = mappings(credential.manifest.get("claim_generator_info"))
    named = [" ".join(str(each[key]) for key in ("name", "version") if each.get(key)) for each in given]
    return named or [str(each) for each in [credential.manifest.get("claim_generator")] if each]


def _action(action: dict[str, Any]) -> dict[str, Any]:
    told = {"action": action.get("action"), "description": action.get("description")}
    told["digital_source_type"] = action.get("digitalSourceType")
    return {name: value for name, value in told.items() if value}


def _by_ai(actions: list[dict[str, Any]]) -> bool:
    """Whether any action says that a trained algorithm had a hand in it."""
    said = [str(each.get("digitalSourceType", "")) for each in actions]
    return any(each == COMPOSITE or each.endswith("/trainedAlgorithmicMedia") for each in said)


def _printable(line: str) -> str:
    """Without control characters: a stranger's credential must not write over the terminal."""
    return "".join(char if char.isprintable() else " " for char in line)
