"""A store behind SSH: a real server, keys, and DVC's own way there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from flows.maintain import maintain
from tests.flows.conftest import commit, dvc, hashes, run
from tests.flows.upkeep.conftest import flow_run

MODEL = "data/training/ada-ben/model.txt"


@dataclass(frozen=True)
class Shelf:
    """A folder behind SSH.

    Attributes:
        folder: what the server shows as its root.
        port: of this machine.
        key: the private key that it lets in.
    """

    folder: Path
    port: int
    key: Path


SERVER = """
import asyncio, sys
from functools import partial
import asyncssh

async def serve(folder, key):
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        authorized_client_keys=key,
        sftp_factory=partial(asyncssh.SFTPServer, chroot=folder),
    )
    print(server.get_port(), flush=True)
    await server.wait_closed()

asyncio.run(serve(*sys.argv[1:]))
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """A server that lets one key in, to a folder of its own, until the test ends."""
    folder, key, allowed = tmp_path / "shelf", tmp_path / "key", tmp_path / "key.pub"
    folder.mkdir()
    own = asyncssh.generate_private_key("ssh-ed25519")
    own.write_private_key(key)
    own.write_public_key(allowed)
    command = [sys.executable, "-c", SERVER, str(folder), str(allowed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield Shelf(folder, int(server.stdout.readline()), key)
        finally:
            server.kill()


@pytest.fixture
def stored(made: Path, shelf: Shelf) -> Path:
    """The project with all that was made of it pushed over SSH."""
    dvc("remote", "add", "--quiet", "--default", "store", f"ssh://likeness@127.0.0.1:{shelf.port}/dvc", cwd=made)
    dvc("remote", "modify", "--local", "store", "keyfile", str(shelf.key), cwd=made)
    commit(made, "a store")
    dvc("push", "--quiet", cwd=made)
    return made


def test_results_go_there_and_come_back_in_another_clone(stored: Path, shelf: Shelf, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", str(stored), str(clone), cwd=tmp_path)
    dvc("remote", "modify", "--local", "store", "keyfile", str(shelf.key), cwd=clone)
    dvc("pull", "--quiet", "training@ada-ben", cwd=clone)
    assert (clone / MODEL).read_bytes() == (stored / MODEL).read_bytes()


@pytest.mark.usefixtures("prefect")
def test_what_is_damaged_there_is_found_and_removed_and_pushed_anew(stored: Path, shelf: Shelf) -> None:
    model = hashes(stored)[MODEL]
    there = shelf.folder / "dvc" / "files" / "md5" / model[:2] / model[2:]
    whole = there.read_bytes()
    there.chmod(0o644)
    there.write_bytes(whole[:-1] + b"?")
    _, found = flow_run(maintain, verify_objects="cache and remotes", remove_corrupt=True, repository=str(stored))
    corrupt = [(each.store, each.object, each.removed) for each in found.verified.corrupt]
    assert corrupt == [("remote 'store'", model, True)]
    assert not there.exists()
    dvc("push", "--quiet", cwd=stored)
    assert there.read_bytes() == whole
