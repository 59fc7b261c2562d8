"""The checkout: packs and base, settings and consent, keys, DVC's remotes, Prefect."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from flows.addresses import without_secrets
from flows.doctor.finding import Finding
from flows.pipeline import opened
from flows.server import answers
from stages.atomic import whole_files
from stages.check import problems_of
from stages.consent import require_record
from stages.consent.keys import FOLDER as TRUSTED
from stages.consent.keys import PRIVATE, TrustedKeys
from stages.packs import open_pack
from stages.problems import Problem
from stages.settings import Params, load_params

SOON: Final = timedelta(days=30)
REMOTE_SECONDS: Final = 20.0


def settings() -> Iterator[Finding]:
    """params.yaml, footage, consent records and hand decisions, as `make check` looks at them."""
    params = load_params()
    problems = problems_of(params)
    for problem in problems:
        yield Finding("project", "fail", f"{problem.where}: {problem.what}", problem.mend)
    if not problems:
        counted = ", ".join(f"{len(getattr(params, key))} {key}" for key in ("identities", "clips", "pairs", "swaps"))
        yield Finding("project", "ok", counted)


def packs(params: Params | None) -> Iterator[Finding]:
    """The pack of networks, by the hashes in its manifest."""
    name = params.detection.pack if params is not None else "open"
    pack = open_pack(name)
    if pack.is_open:
        yield Finding("pack", "ok", f"{name} is whole: {len(pack.files)} files by their SHA-256 ({pack.licence})")
    else:
        yield Finding("pack", "warn", f"{name}: {pack.licence}", "detection.pack: open for any other use")


def base(root: Path) -> Iterator[Finding]:
    """The shared base, by the hashes that git has of its files."""
    listed = _git(root, "ls-tree", "-r", "HEAD", "--", "data/base")
    if not listed:
        yield Finding("base", "warn", "git has none, so its hash can not be compared", "use a clone, not a copy")
        return
    for line in listed.splitlines():
        about, _, path = line.partition("\t")
        recorded = about.split()[2]
        if not (root / path).is_file() or _git(root, "hash-object", "--no-filters", path).strip() != recorded:
            yield Finding("base", "fail", f"{path} is not the one in git", f"`git checkout {path}`")
            return
    yield Finding("base", "ok", f"whole: {len(listed.splitlines())} files by git's hashes")


def consent(params: Params | None) -> Iterator[Finding]:
    """How long the records hold; that they hold at all is among the project's problems."""
    last: date | None = None
    for identity in params.identities if params is not None else ():
        try:
            expires = require_record(identity).term.expires
        except Problem:
            continue
        if expires is None:
            continue
        last = min(last or expires, expires)
        if expires - date.today() <= SOON:
            says = f"that of '{identity}' ends on {expires}; every stage refuses from then on"
            yield Finding("consent", "warn", says, f"`likeness consent new {identity}` makes one that follows it")
    if last is None or last - date.today() > SOON:
        yield Finding("consent", "ok", f"the first record ends on {last}" if last else "no record has a set end")


def keys(private: Path = PRIVATE) -> Iterator[Finding]:
    """Keys that signatures are checked with, and those to sign with on this machine."""
    trusted = TrustedKeys.read(TRUSTED).named
    secrets = whole_files(private, "*.pem")
    for secret in secrets:
        if secret.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding("keys", "fail", f"{secret} can be read by other users", f"`chmod 600 {secret}`")
    yield Finding("keys", "ok", f"{len(trusted)} public ones trusted, {len(secrets)} private ones on this machine")


def remotes(root: Path) -> Iterator[Finding]:
    """Whether DVC's remotes can be reached."""
    with opened(root) as repo:
        names = list(repo.config["remote"])
        if not names:
            mend = "`dvc remote add --default NAME URL`, then `dvc push`: without one, results are on this disk alone"
            yield Finding("DVC remote", "warn", "there is none", mend)
        for name in names:
            yield _remote(repo, name)


def _remote(repo: Any, name: str) -> Finding:
    where = without_secrets(str(repo.config["remote"][name]["url"]))
    try:
        there = _asked(repo, name).result(REMOTE_SECONDS)
    except TookTooLong:
        mend = "look at the network, and at `dvc remote list`"
        return Finding("DVC remote", "fail", f"{name} ({where}) does not answer in {REMOTE_SECONDS:g} s", mend)
    except Exception as error:  # each kind of remote has its own
        says = f"{name} ({where}): {str(error) or type(error).__name__}"
        return Finding("DVC remote", "fail", says, "look at `dvc remote list` and at what lets you in there")
    if there:
        return Finding("DVC remote", "ok", f"{name} ({where}) can be reached")
    return Finding(
        "DVC remote", "warn", f"{name} ({where}): nothing is there yet", "`dvc push`, if the address is right"
    )


def _asked(repo: Any, name: str) -> Future[bool]:
    """Whether anything is at a remote, found out in a thread that an end of the program does not wait for."""
    answer: Future[bool] = Future()

    def ask() -> None:
        try:
            store = repo.cloud.get_remote_odb(name)
            answer.set_result(bool(store.fs.exists(store.path)))
        except Exception as error:  # raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer


def prefect(root: Path) -> Iterator[Finding]:
    """How flows will run."""
    says = f"{version('prefect')}, "
    address = os.environ.get("PREFECT_API_URL")
    if address is None:
        home = Path(os.environ.get("PREFECT_HOME") or root / ".prefect")
        place = home if home.exists() else home.parent
        if os.access(place, os.W_OK):
            yield Finding("Prefect", "ok", f"{says}with a server of its own for each run, its database in {home}")
        else:
            yield Finding("Prefect", "fail", f"{says}but {place} can not be written", "set PREFECT_HOME, or its rights")
    elif answers(address):
        yield Finding("Prefect", "ok", f"{says}on the server {address}")
    else:
        mend = "start it, or unset PREFECT_API_URL: runs then bring their own"
        yield Finding("Prefect", "fail", f"{says}but no server answers at {address}", mend)


def _git(root: Path, *arguments: str) -> str:
    try:
        return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
