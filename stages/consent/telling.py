"""A record in plain sentences."""

from __future__ import annotations

from stages.consent.record import MINING_USES, Consent


def sentences(record: Consent) -> list[str]:
    """What a record says, for people who do not read YAML."""
    used = {"source": "their likeness may be put on others", "target": "their performance may be kept under another "
            "likeness", "training": "models may be trained on their footage"}  # fmt: skip
    who = "a rendered performer" if record.kind == "synthetic" else "a person who has attested to be an adult"
    told = [
        f"{record.pii_principal_id}, {who}, is '{record.identity}' here (record {record.record_id}).",
        f"Purpose: {record.purpose}",
        f"Answerable: {', '.join(record.pii_controllers)}.",
        f"Allowed: {'; '.join(used[role] for role in record.roles)}.",
        f"Together with: {', '.join(record.pairings) or 'nobody'}. Clips: {', '.join(record.clips)}.",
        f"Shown in: {', '.join(record.media)}; territory: {record.geographic_restrictions}.",
        f"Never: {', '.join(record.prohibited_content)}.",
        f"By machines of others: {_mining(record)}.",
        f"From {record.term.given} to {record.term.expires or 'no set day'}; all is destroyed by "
        f"{record.retention_period.destroy_by or 'no set day'}.",
        f"Withdrawal at any time: {record.withdrawal_method}",
    ]
    if record.jurisdiction or record.privacy_notice:
        told.append(f"Law: {record.jurisdiction or 'not said'}; privacy notice: {record.privacy_notice or 'none'}.")
    if record.kind == "person" and record.evidence.footage is None:
        told.append("It does not say which footage it is about: any file under these clips' names would do.")
    if record.kind == "person" and record.evidence.face is None:
        told.append("It commits to no face: nothing would tell the person from others in these clips.")
    return told


def _mining(record: Consent) -> str:
    """What others may do with the results by machine."""
    terms = record.training_and_mining
    said = {use.replace("_", " "): getattr(terms, use, None) for use in MINING_USES}
    told = [f"{use} {answer}" for use, answer in said.items() if answer in ("allowed", "constrained")]
    bound = f", bound to: {terms.constraints}" if terms is not None and terms.constraints else ""
    return ", ".join(told) + bound if told else "no training and no mining"
