"""What can be set about a deliverable's credential."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class SignerSettings(BaseModel):
    """A signer of your own. It names where the private key is; the key itself stands in no settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificates: Path = Field(description="PEM file: the signing certificate, then those that vouch for it, in order")
    key: Path | None = Field(default=None, description="its private key: a PEM file outside of any repository")
    key_variable: Words | None = Field(
        default=None, description="or: the environment variable that holds the private key, as PEM"
    )
    key_command: tuple[str, ...] = Field(
        default=(),
        description="or: a program with its arguments that signs what comes on its standard input, so that the key "
        "stays in its device or service (HSM, KMS)",
    )
    passphrase_variable: Words | None = Field(
        default=None, description="the environment variable that holds the passphrase of an encrypted private key"
    )
    timestamps: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="address of a time-stamp authority (RFC 3161), which lets a credential outlive its certificate; "
        "its answers are never the same, so neither is the deliverable",
    )

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        given = [bool(self.key), bool(self.key_variable), bool(self.key_command)]
        if sum(given) != 1:
            raise ValueError("give one of key, key_variable and key_command")
        if self.passphrase_variable and self.key_command:
            raise ValueError("passphrase_variable goes with key or key_variable, not with key_command")
        return self


class CredentialSettings(BaseModel):
    """Settings of the credential that ``encoding`` signs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sign: bool = Field(default=True, description="what can not be signed and read back is not delivered")
    signer: SignerSettings | Literal["development", "local"] = Field(
        default="development",
        description="development: a key that everybody has, which proves nothing about who signed; local: as "
        "signer.yaml in your own configuration folder says; or a signer, with the keys below",
    )
    producer: Words | None = Field(
        default=None,
        description="who is answerable for the deliverable, for the AIGC field of its metadata; if null, the software",
    )
