"""Commands for consent records; no knowledge of YAML or cryptography is needed to use them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from stages.atomic import whole_files
from stages.audit import log as audit
from stages.consent.drafting import draft
from stages.consent.evidence import require_enrolment
from stages.consent.filing import draft_path, put_in_force, to_sign, write_record
from stages.consent.gate import KEYS, require_record
from stages.consent.keys import (
    DEVELOPMENT,
    PRIVATE,
    PRIVATE_KEYS,
    PublicKey,
    TrustedKeys,
    make_key,
    needs_passphrase,
    private_key,
)
from stages.consent.reading import FOLDER, consent_path, read_consent
from stages.consent.record import Consent, Party
from stages.consent.schema import schema as schema_of_records
from stages.consent.signing import agreement_payload, holders, require_signatures, signature_by
from stages.consent.telling import sentences
from stages.consent.withdrawal import revoke_marks, stages_with, withdraw
from stages.credentials.registry import FOLDER as REGISTRY
from stages.names import names_in
from stages.problems import BAD_INPUT, Problem, nearest
from stages.program import tell
from stages.settings import Params, load_params

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)

IdentityName = Annotated[
    str,
    typer.Argument(help="an identity of params.yaml", metavar="IDENTITY", autocompletion=names_in("identities")),
]
KeyName = Annotated[str, typer.Option("--key", help=f"name of your key; '{DEVELOPMENT}' signs rendered performers")]
Private = Annotated[Path, typer.Option("--private-keys", help="folder of private keys", envvar=PRIVATE_KEYS)]
Passphrase = Annotated[
    str | None, typer.Option(help="of the private key; asked for if needed", envvar="LIKENESS_PASSPHRASE")
]
SettingsFile = Annotated[Path, typer.Option(help="the settings file")]
Json = Annotated[bool, typer.Option("--json", help="for machines")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask for confirmation")]


@app.callback()
def _main() -> None:
    """Consent records: who agreed to what, signed by both sides. docs/consent.md tells the whole way."""


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


@app.command()
def keygen(
    name: Annotated[str, typer.Argument(help="of the key: small letters, digits, '-' and '_'")],
    holder: Annotated[str, typer.Option(prompt="Whose key is it? The name as records will say it")],
    party: Annotated[Party, typer.Option(prompt="subject (the person) or controller (who is answerable)?")],
    private: Private = PRIVATE,
    passphrase: Annotated[
        str,
        typer.Option(
            prompt="Passphrase (empty: none)",
            hide_input=True,
            confirmation_prompt=True,
            prompt_required=True,
            envvar="LIKENESS_PASSPHRASE",
        ),
    ] = "",
) -> None:
    """Make a key to sign with. The private half stays on this machine, outside of the repository."""
    with _told():
        secret, public = make_key(name, holder, party, passphrase or None, private=private)
    typer.echo(f"{secret}: private. Keep it, copy it to a safe place, give it to nobody.")
    typer.echo(f"{public}: public. Commit it: signatures by '{name}' are trusted from then on.")


@app.command()
def new(
    identity: IdentityName,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=ANSWER, not asked then; repeat it for more")
    ] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="ask nothing that has a default")] = False,
    private: Private = PRIVATE,
    params: SettingsFile = Path("params.yaml"),
) -> None:
    """Draft a record by questions; what an earlier record or params.yaml says is the default."""

    def ask(question: str, default: str | None) -> str:
        if defaults and default is not None:
            return default
        said: str = typer.prompt(question, default=default, show_default=bool(default))
        return said

    with _told():
        settings = load_params(params)
        if identity not in settings.identities:
            raise Problem(
                f"there is no identity '{identity}'",
                where=f"{params}, identities",
                mend=f"name the person there first; {nearest(identity, list(settings.identities))}",
            )
        answers = dict(_pairs(changes or []))
        record = draft(identity, settings, ask, today=date.today(), answers=answers, private=private)
        path = draft_path(identity)
        write_record(path, record)
    typer.echo(f"\n{path}: drafted.")
    for line in sentences(record):
        typer.echo(f"  {line}")
    _tell_who_signs(record)


@app.command()
def sign(
    identity: IdentityName,
    key: KeyName,
    private: Private = PRIVATE,
    passphrase: Passphrase = None,
    yes: Yes = False,
) -> None:
    """Sign a record. When all have signed, it is in force and replaces the one before."""
    with _told():
        path, record = to_sign(identity)
        keys = TrustedKeys.read(FOLDER / KEYS)
        public = _public(key, keys)
        if public.holder not in holders(record, public.party):
            raise Problem(
                f"the key '{key}' is of the {public.party} '{public.holder}', whom the record does not name",
                where=path,
                mend=f"sign as {' or '.join(holders(record, public.party))}",
            )
        for line in sentences(record):
            typer.echo(line)
        if not yes and not typer.confirm(f"\nDo you, {public.holder}, agree to this as the {public.party}?"):
            raise typer.Abort
        secret = _private(key, passphrase, private)
        made = signature_by(secret, public, date.today(), partial(agreement_payload, record))
        signatures = record.signatures | {public.party: made}
        record = record.model_copy(update={"signatures": signatures})
        missing = [party for party in record.signers if party not in signatures]
        if missing:
            write_record(path, record)
        else:
            require_signatures(record, keys, path)
            path = put_in_force(record)
        audit.append("signature", record_id=record.record_id, record_hash=record.hash, party=public.party)
    if missing:
        typer.echo(f"\n{path}: signed by the {public.party}.")
        _tell_who_signs(record)
    else:
        typer.echo(f"\n{path}: signed by all, in force. Commit data/consent.")


@app.command()
def check(
    identity: Annotated[str | None, typer.Argument(help="one identity; all of params.yaml if left out")] = None,
    as_json: Json = False,
    params: SettingsFile = Path("params.yaml"),
) -> None:
    """Say of each record whether it holds today, and what it allows; the exit status says whether all hold."""
    with _told():
        settings = load_params(params)
    standings = [Standing.of(name, settings) for name in ([identity] if identity else settings.identities)]
    if as_json:
        typer.echo(json.dumps([standing.document for standing in standings], indent=2))
    else:
        for standing in standings:
            if standing.problem is None and standing.record is not None:
                typer.echo(f"{standing.identity}: it holds.")
                for line in sentences(standing.record):
                    typer.echo(f"  {line}")
    status = 0
    for standing in standings:
        if standing.problem is not None:
            status = tell(standing.problem)
    raise typer.Exit(status)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """All records: whose, until when, and how they stand."""
    names = [path.stem for path in whole_files(FOLDER, "*.yaml")]
    standings = [Standing.of(name) for name in names]
    if as_json:
        typer.echo(json.dumps([standing.document for standing in standings], indent=2))
        return
    for standing in standings:
        record = standing.record
        about = f"{record.record_id}, {record.kind}, to {record.term.expires or 'no set day'}" if record else "-"
        typer.echo(f"{standing.identity}\t{about}\t{standing.word}")


@app.command()
def revoke(
    identity: IdentityName,
    key: Annotated[str | None, typer.Option("--key", help="name of your key; to sign the end, and tombstones")] = None,
    reason: Annotated[str | None, typer.Option(help="in a few words, if the person gives one")] = None,
    purge: Annotated[bool, typer.Option("--purge", help="remove all that was made of the person")] = False,
    footage: Annotated[bool, typer.Option("--footage", help="the clips and reference pictures, too")] = False,
    private: Private = PRIVATE,
    passphrase: Passphrase = None,
    yes: Yes = False,
    params: SettingsFile = Path("params.yaml"),
) -> None:
    """Withdraw a consent, by either side: every stage refuses the person from then on.

    What was made before is listed, and with --purge removed: here, from DVC's cache and from its remotes. Run it again
    at any time, on every machine that has a copy: it finishes what was cut off, and finds nothing where nothing is.
    """
    # DVC takes a second to be imported, and no other command needs it
    from flows.withdrawal import purge as removal
    from flows.withdrawal.telling import told_of

    with _told():
        settings = load_params(params)
        record = read_consent(identity)
        signer = partial(_signer, key, passphrase, private)
        if record.status == "revoked":
            typer.echo(f"{consent_path(identity)}: withdrawn already.")
        else:
            if not yes and not typer.confirm(f"Withdraw the consent of '{identity}'?"):
                raise typer.Abort
            withdraw(identity, *signer(), day=date.today(), reason=reason)
            typer.echo(f"{consent_path(identity)}: withdrawn. Commit it.")
        revoked = revoke_marks(identity)
        if revoked:
            typer.echo(f"{len(revoked)} deliverables are said to be revoked from now on ({REGISTRY}). Commit it.")
        _tell_what_is_stale(stages_with(identity, settings))
        if not purge:
            try:
                found = removal.find(identity, settings, with_footage=footage)
            except Problem as problem:  # the consent is withdrawn all the same
                typer.echo(f"What was made before lies there still; it can not be listed here:\n{problem}")
                return
            typer.echo("\n".join(told_of(found, removed=False)))
            if not found.is_empty:
                typer.echo(f"Remove it with `python -m stages.consent revoke {identity} --key KEY --purge`.")
            return
        if not yes and not typer.confirm(f"Remove all that was made of '{identity}'? It can not be brought back."):
            raise typer.Abort
        done = removal.purge(identity, settings, signer, with_footage=footage)
    typer.echo("\n".join(told_of(done.findings, removed=True)))
    if done.file is not None:
        typer.echo(
            f"{done.file}: {done.tombstones} tombstones. Commit it, then run this on other machines with copies."
        )
    if done.findings.unreached:
        raise typer.Exit(BAD_INPUT)


@app.command()
def schema() -> None:
    """Print the JSON schema of records (data/consent/schema.json)."""
    typer.echo(schema_of_records(), nl=False)


@dataclass(frozen=True)
class Standing:
    """How an identity's record stands today.

    Attributes:
        record: None if it can not be read.
        problem: why it does not hold.
    """

    identity: str
    record: Consent | None
    problem: Problem | None

    @classmethod
    def of(cls, identity: str, params: Params | None = None) -> Standing:
        """Of the record in force; with the settings, also whether the person's face is enrolled."""
        record = None
        try:
            record = read_consent(identity)
            require_record(identity)
            if params is not None and identity in params.identities:
                require_enrolment(identity, params)
        except Problem as problem:
            return cls(identity, record, problem)
        return cls(identity, record, None)

    @property
    def word(self) -> str:
        """In a few words."""
        return "holds" if self.problem is None else self.problem.what

    @property
    def document(self) -> dict[str, Any]:
        """For machines."""
        problem = None
        if self.problem is not None:
            problem = {"where": self.problem.where, "what": self.problem.what, "mend": self.problem.mend}
        record = None if self.record is None else self.record.model_dump(mode="json", exclude_none=True)
        return {"identity": self.identity, "holds": self.problem is None, "problem": problem, "record": record}


def _public(name: str, keys: TrustedKeys) -> PublicKey:
    if name not in keys.named:
        raise Problem(
            f"no key '{name}' is trusted here",
            where=keys.folder,
            mend=f"make it with `python -m stages.consent keygen {name}`; {nearest(name, list(keys.named))}",
        )
    return keys.named[name]


def _private(name: str, passphrase: str | None, private: Path) -> Any:
    if passphrase is None and needs_passphrase(name, private=private):
        passphrase = typer.prompt("Passphrase", hide_input=True)
    return private_key(name, passphrase, private=private)


def _pairs(changes: Sequence[str]) -> Iterator[tuple[str, str]]:
    for change in changes:
        field, found, answer = change.partition("=")
        if not found:
            raise Problem(f"'{change}' has no '='", where="--set", mend="write FIELD=ANSWER")
        yield field.strip(), answer


def _tell_who_signs(record: Consent) -> None:
    for party in record.signers:
        if party not in record.signatures:
            typer.echo(
                f"Now {' or '.join(holders(record, party))} signs as the {party}:\n"
                f"  python -m stages.consent sign {record.identity} --key KEY"
            )


def _signer(key: str | None, passphrase: str | None, private: Path) -> tuple[Any, PublicKey]:
    """Both halves of the key that signs."""
    if key is None:
        raise Problem("no key is named to sign with", where="--key", mend="add --key with the name of your key")
    public = _public(key, TrustedKeys.read(FOLDER / KEYS))
    return _private(key, passphrase, private), public


def _tell_what_is_stale(stages: Sequence[str]) -> None:
    if stages:
        typer.echo("These DVC stages are refused from now on if they are asked for:")
    for stage in stages:
        typer.echo(f"  {stage}")
