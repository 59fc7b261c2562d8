"""What a consent record says.

Names are those of ISO/IEC TS 27560:2023 where it has one; where ours differs, the field's description gives its name,
and docs/consent.md tells why.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stages.canonical import hash_of
from stages.consent.merkle import footage_root
from stages.settings import Name

SCHEMA_VERSION: Final = 2

Role = Literal["source", "target", "training"]
"""What a person's footage is used for: their likeness put on, their performance kept, a model trained."""

Party = Literal["subject", "controller"]
"""Who signs: the person, and who is answerable for the use."""

Mining = Literal["allowed", "notAllowed", "constrained"]
"""What a machine of others may do with the results, in the words of CAWG's training and data mining assertion."""

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1),
    Field(json_schema_extra={"pattern": r"\S"}),  # a JSON schema strips nothing
]
Day = Annotated[date, Field(json_schema_extra={"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})]
"""As year-month-day; a JSON schema's ``format`` alone is a remark to most validators."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
RECORD_ID = r"[A-Za-z0-9][A-Za-z0-9._-]*"
RecordId = Annotated[str, StringConstraints(pattern=rf"^{RECORD_ID}$")]
"""Record ids become file names."""

ALWAYS_PROHIBITED: Final = ("sexual content", "minors")
"""No record may leave these out."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Term(_Part):
    """From when to when, both days included. A person's has an end."""

    given: Day = Field(description="first day on which it holds (27560: event_time)")
    expires: Day | None = Field(
        default=None, description="last day on which it holds (27560: validity_duration); required of a person"
    )

    @model_validator(mode="after")
    def _has_an_extent(self) -> Self:
        if self.expires is not None and self.expires < self.given:
            raise ValueError(f"it expires on {self.expires}, before it is given on {self.given}")
        return self


class Retention(_Part):
    """How long anything that shows the person may lie anywhere (27560: retention_period)."""

    destroy_by: Day | None = Field(
        default=None,
        description="last day on which footage, crops, models and deliverables may be kept; required of a person",
    )
    schedule: Words = Field(description="in plain words: what is destroyed, by whom, how")


class TrainingAndMining(_Part):
    """What others may do with the deliverables by machine: the entries of CAWG's assertion. What it leaves out is not
    allowed."""

    ai_generative_training: Mining | None = Field(None, description="train a model that makes pictures, sound, text")
    ai_training: Mining | None = Field(None, description="train a model of another kind")
    ai_inference: Mining | None = Field(None, description="give them to a trained model")
    data_mining: Mining | None = Field(None, description="find out patterns and facts from many of them")
    constraints: Words | None = Field(
        None, description="what the constrained ones are bound to; it is published in the credential, so name nobody"
    )

    @model_validator(mode="after")
    def _says_what_binds(self) -> Self:
        said = {use: getattr(self, use) for use in MINING_USES}
        bound = [use for use, answer in said.items() if answer == "constrained"]
        if bound and self.constraints is None:
            raise ValueError(f"constraints is missing: {bound[0]} is constrained, and nobody knows to what")
        return self


MINING_USES: Final = ("ai_generative_training", "ai_training", "ai_inference", "data_mining")


class Document(_Part):
    """The document or video in which the person agrees."""

    sha256: Sha256 = Field(description="of the file")
    kept: Words = Field(description="where it is kept, in words")
    path: Words | None = Field(None, description="the file, if it lies here: then it must be there and have that hash")


class Footage(_Part):
    """Which footage it is about, told by content."""

    merkle_root: Sha256 = Field(description="RFC 6962 root over the clips below, ordered by name")
    clips: dict[Name, Sha256] = Field(
        min_length=1,
        description="clip -> SHA-256 of its file (or of its pictures)",
        json_schema_extra={"additionalProperties": False},
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if footage_root(self.clips) != self.merkle_root:
            raise ValueError("merkle_root is not that of the clips listed with it")
        return self


class FaceCommitment(_Part):
    """A keyed commitment to the enrolled face: who does not hold the key learns nothing from it."""

    hmac_sha256: Sha256 = Field(description="HMAC-SHA256 over the hashes of the identity's reference pictures")
    key_id: Sha256 = Field(description="which key: SHA-256 of it")


class Evidence(_Part):
    """What proves it."""

    document: Document | None = Field(default=None, description="required of a person")
    footage: Footage | None = Field(default=None, description="left out until it is shot")
    face: FaceCommitment | None = Field(default=None, description="if the identity has reference pictures")


class Signature(_Part):
    """One party's signature over all of the record but status, withdrawal and signatures."""

    key: Sha256 = Field(description="fingerprint of the public key")
    signed: Day
    value: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{128}$")] = Field(description="Ed25519, hexadecimal")


class Withdrawal(_Part):
    """The end of a consent, signed by whoever ended it; one party is enough."""

    since: Day = Field(description="day of the withdrawal (27560: event_time of its event)")
    by: Party
    reason: Words | None = None
    signature: Signature


class Consent(_Part):
    """One person's consent, as ``data/consent/<identity>.yaml`` holds it."""

    schema_version: Literal[2] = Field(description="of this format")
    record_id: RecordId = Field(description="of this record, unique")
    prior_record_hash: Sha256 | None = Field(None, description="of the record that this one replaces")
    kind: Literal["person", "synthetic"] = Field(description='"synthetic": a rendered performer, nobody\'s likeness')
    identity: Name = Field(description="the identity in params.yaml that it is about")
    pii_principal_id: Words = Field(description="who, a pseudonym will do; the holder of the subject's key")
    adult_attestation: Literal[True] = Field(description="the person has attested to be an adult; none without")
    represented_by: Literal["self", "counsel", "union", "estate"] = Field(
        "self", description="who spoke for the person"
    )
    pii_controllers: tuple[Words, ...] = Field(min_length=1, description="who is answerable; one of them signs")
    roles: tuple[Role, ...] = Field(min_length=1, description="what the footage may be used for")
    purpose: Words = Field(description="in plain words, reasonably specific: which project, which scenes")
    pairings: tuple[Name, ...] = Field(description="identities with whom the person may share a swap model or a swap")
    clips: tuple[Name, ...] = Field(min_length=1, description="clips of params.yaml that it covers")
    prohibited_content: tuple[Words, ...] = Field(description="what must not be made; it always has the first two")
    media: tuple[Words, ...] = Field(min_length=1, description="where it may be shown")
    geographic_restrictions: Words = Field(description="the territory in which it may be shown")
    jurisdiction: Words | None = Field(None, description="whose law the document is under (27560: jurisdictions)")
    privacy_notice: Words | None = Field(None, description="where the notice is that the person was given")
    training_and_mining: TrainingAndMining | None = Field(
        None, description="what others may do with the deliverables by machine (CAWG); nothing, if it is left out"
    )
    term: Term
    retention_period: Retention
    withdrawal_method: Words = Field(description="how the person withdraws: an address that is read")
    compensation_reference: Words = Field(description="which contract or payment; no sums")
    evidence: Evidence = Evidence()
    status: Literal["active", "revoked"] = Field(
        "active", description="whether it was ended (27560: event_state); whether it is over, the term tells"
    )
    withdrawal: Withdrawal | None = None
    signatures: dict[Party, Signature] = {}

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        lacking = [content for content in ALWAYS_PROHIBITED if content not in self.prohibited_content]
        if lacking:
            raise ValueError(f"prohibited_content must have: {', '.join(lacking)}")
        if self.identity in self.pairings:
            raise ValueError(f"pairings names '{self.identity}' itself")
        needed = {
            "evidence.document": self.evidence.document,
            "term.expires": self.term.expires,
            "retention_period.destroy_by": self.retention_period.destroy_by,
        }
        missing = [field for field, value in needed.items() if value is None]
        if self.kind == "person" and missing:
            raise ValueError(f"{missing[0]} is missing: a person's record needs it")
        expires, destroy_by = self.term.expires, self.retention_period.destroy_by
        if destroy_by is not None and (expires is None or destroy_by < expires):
            raise ValueError("retention_period.destroy_by lies before term.expires")
        if self.withdrawal is not None and self.status != "revoked":
            raise ValueError("status is 'active', but there is a withdrawal: somebody has edited it")
        return self

    @property
    def id(self) -> str:
        """``record_id``, as the facts of artifacts name it."""
        return self.record_id

    @property
    def agreed(self) -> Mapping[str, Any]:
        """What is signed: all that was agreed, as plain data, without fields that say nothing.

        Not cached: ``model_copy`` would carry the old content's cache over to the new content.
        """
        return self.model_dump(mode="json", exclude_none=True, exclude={"status", "withdrawal", "signatures"})

    @property
    def hash(self) -> str:
        """SHA-256 of what was agreed; a record that replaces this one names it."""
        return hash_of(self.agreed)

    @property
    def signers(self) -> tuple[Party, ...]:
        """Whose signatures it needs. A synthetic performer is nobody who could sign."""
        return ("subject", "controller") if self.kind == "person" else ("controller",)
