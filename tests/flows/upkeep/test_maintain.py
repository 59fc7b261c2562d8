"""Maintenance on a real cache: a flipped byte is found and made again, what is needed stays, what ended is purged."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo
from prefect.client.orchestration import get_client

from flows.maintain import maintain
from flows.maintenance import garbage, verification
from flows.reproduction import reproduce
from tests.flows.conftest import commit, dvc, hashes, run
from tests.flows.upkeep.conftest import commit_at, flow_run, make, tree
from tests.flows.withdrawal.conftest import add_remote
from tests.records import put_record


def cached(root: Path, oid: str) -> Path:
    return root / ".dvc" / "cache" / "files" / "md5" / oid[:2] / oid[2:]


def spoil(path: Path) -> None:
    """Another byte in it, as a disk does it: nobody touches time or mode."""
    before = path.stat()
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as stream:  # in place: the links to it are spoilt, too
        stream.write(content)
    path.chmod(stat.S_IMODE(before.st_mode))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_object_that_can_not_be_read_is_told_and_left_and_the_others_are_read(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread, spoilt = (hashes(made)[f"data/{name}"] for name in ("training/ada-ben/model.txt", "encoding/ada-on-ben"))
    hashed = verification.file_md5

    def failing(path: str, *arguments: Any, **named: Any) -> Any:
        if unread in path.replace("/", ""):
            raise OSError(errno.EIO, "Input/output error")
        return hashed(path, *arguments, **named)

    spoil(cached(made, spoilt))
    monkeypatch.setattr(verification, "file_md5", failing)
    found = {each.object: each for each in verification.verify(made, "cache", remove=True).corrupt}
    assert set(found) == {unread, spoilt}
    assert not found[unread].removed
    assert "look at the disk" in found[unread].mend
    assert cached(made, unread).is_file()


@pytest.mark.usefixtures("prefect")
def test_a_corrupt_object_is_found_removed_and_made_again(made: Path) -> None:
    before = hashes(made)
    model = before["data/training/ada-ben/model.txt"]
    spoil(cached(made, model))
    assert (made / "data/training/ada-ben/model.txt").stat().st_ino == cached(made, model).stat().st_ino

    state, found = flow_run(maintain, repository=str(made))
    assert state.is_failed()
    assert [(each.object, each.paths, each.removed) for each in found.verified.corrupt] == [
        (model, ("data/training/ada-ben/model.txt",), False)
    ]
    assert "data/training/ada-ben/model.txt" in state.message
    with get_client(sync_client=True) as client:
        artifacts = [each for each in client.read_artifacts() if each.flow_run_id == state.state_details.flow_run_id]
    assert model in str(artifacts[0].data)

    state, found = flow_run(maintain, remove_corrupt=True, repository=str(made))
    assert state.is_completed(), state.message
    assert not cached(made, model).exists()
    assert not (made / "data/training/ada-ben/model.txt").exists(), "it was a link to the same bad bytes"
    state, _ = flow_run(reproduce, repository=str(made))
    assert state.is_completed(), state.message
    assert hashes(made) == before
    state, found = flow_run(maintain, repository=str(made))
    assert state.is_completed(), state.message
    assert not found.verified.corrupt

    Path("footage/more.txt").write_text("what was shot\n")
    with Repo(str(made)) as repo:
        repo.add("footage/more.txt")
    footage = yaml.safe_load(Path("footage/more.txt.dvc").read_text())["outs"][0]["md5"]
    spoil(cached(made, footage))
    state, found = flow_run(maintain, remove_corrupt=True, repository=str(made))
    assert [(each.object, each.removed) for each in found.verified.corrupt] == [(footage, False)]
    assert "nothing makes it again" in state.message
    assert Path("footage/more.txt").exists(), "footage that lies nowhere else is kept, even so"


@pytest.mark.usefixtures("prefect")
def test_what_a_remote_has_whole_is_removed_from_the_cache_and_the_other_way_round(made: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    with (made / ".dvc" / "config").open("a") as config:
        config.write(f"['remote \"shelf\"']\n    url = {shelf}\n")
    shutil.copytree(made / ".dvc" / "cache" / "files", shelf / "files")
    footage, model = hashes(made)["data/extraction/ben"], hashes(made)["data/training/ada-ben/model.txt"]
    listing = json.loads(cached(made, footage).read_text())[0]["md5"]
    spoil(cached(made, listing))
    spoil(shelf / "files/md5" / model[:2] / model[2:])
    state, found = flow_run(maintain, verify_objects="cache and remotes", remove_corrupt=True, repository=str(made))
    assert {(each.store, each.object, each.removed) for each in found.verified.corrupt} == {
        ("DVC's cache", listing, True),
        ("remote 'shelf'", model, True),
    }
    assert "data/extraction/ben/frames.txt" in found.verified.corrupt[0].paths
    assert state.is_completed(), state.message
    assert not (shelf / "files/md5" / model[:2] / model[2:]).exists()


def test_links_to_an_object_that_is_removed_go_with_it(made: Path) -> None:
    """A symbolic link would lead nowhere, and DVC could not even say what is stale."""
    model = made / "data/training/ada-ben/model.txt"
    dvc("config", "cache.type", "symlink", cwd=made)
    dvc("checkout", "--quiet", "--relink", cwd=made)
    assert model.is_symlink()
    oid = hashes(made)["data/training/ada-ben/model.txt"]
    spoil(cached(made, oid))
    (found,) = verification.verify(made, "cache", remove=True).corrupt
    assert (found.object, found.removed) == (oid, True)
    assert not model.is_symlink()
    assert "data/training/ada-ben" in dvc("status", cwd=made)


def test_other_worktrees_of_a_project_in_a_folder_of_its_repository_are_found(project: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    root = whole / "films" / "project"
    shutil.copytree(project, root, ignore=shutil.ignore_patterns(".git"))
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=whole)
    run("git", "config", "user.name", "A Tester", cwd=whole)
    run("git", "config", "user.email", "tester@example.invalid", cwd=whole)
    commit(whole)
    run("git", "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"), cwd=whole)
    assert garbage._worktrees(root) == [tmp_path / "side" / "films" / "project"]


@pytest.mark.usefixtures("prefect")
def test_garbage_is_what_no_recent_commit_no_tag_and_no_tree_names(project: Path) -> None:
    models = {}
    for seed, days_ago, tag in ((1, 90, None), (2, 80, "release"), (3, 70, None), (4, 5, None), (5, 4, None)):
        models[seed] = make(project, seed)["data/training/ada-ben/model.txt"]
        commit_at(project, days_ago)
        if tag:
            run("git", "tag", tag, cwd=project)
    models[6] = make(project, 6)["data/training/ada-ben/model.txt"]  # the working tree's, not committed
    before = tree(project)

    state, found = flow_run(maintain, keep_days=30, verify_objects="nothing", repository=str(project))
    assert state.is_completed(), state.message
    assert found.garbage.objects == 6, "of two seeds: a model, a deliverable and the list of its folder"
    assert found.garbage.size > 0
    assert tree(project) == before, "nothing is removed unasked"

    _, found = flow_run(maintain, keep_days=30, collect_garbage=True, verify_objects="nothing", repository=str(project))
    assert found.garbage.removed
    assert {seed for seed, oid in models.items() if cached(project, oid).exists()} == {2, 4, 5, 6}
    _, found = flow_run(maintain, keep_days=30, verify_objects="cache", repository=str(project))
    assert found.garbage.objects == 0
    assert not found.verified.corrupt


@pytest.mark.usefixtures("prefect")
def test_a_cache_that_others_may_use_is_left_alone(made: Path, tmp_path: Path) -> None:
    with (made / ".dvc" / "config").open("a") as config:
        config.write(f"    dir = {tmp_path / 'cache'}\n")
    (made / ".dvc" / "cache").rename(tmp_path / "cache")
    state, found = flow_run(maintain, collect_garbage=True, verify_objects="nothing", repository=str(made))
    assert state.is_failed()
    assert "others may use it" in state.message
    assert found.garbage is None
    options = {"collect_garbage": True, "verify_objects": "nothing", "repository": str(made)}
    state, found = flow_run(maintain, shared_with=[str(made)], **options)
    assert state.is_completed(), state.message

    listing = tmp_path / "cache/files/md5" / (oid := hashes(made)["data/extraction/ben"])[:2] / oid[2:]
    spoil(listing)
    before = tree(tmp_path / "cache")
    state, found = flow_run(maintain, shared_with=[str(made)], **options)
    assert "the list of a folder is corrupt" in state.message
    assert tree(tmp_path / "cache") == before


@pytest.mark.usefixtures("prefect")
def test_consents_that_ended_are_told_and_purged_only_if_asked(made: Path) -> None:
    today = date.today()
    soon, over = today + timedelta(days=10), today - timedelta(days=1)
    folder = made / "data" / "consent"
    put_record(folder, "ada", **term(soon, date(2999, 1, 1)))
    put_record(folder, "ben", **term(over, over))

    state, found = flow_run(maintain, verify_objects="nothing", repository=str(made))
    told = {each.identity: (each.state, each.days, each.expires) for each in found.consents}
    assert told == {"ada": ("ends soon", 10, soon), "ben": ("to be destroyed", -1, over)}
    assert state.is_failed(), "what was to be destroyed by now lies there still"
    assert "consent of 'ben': to be destroyed" in state.message
    assert (made / "data/dataset/ben/ben/faces.txt").is_file()

    state, found = flow_run(maintain, purge="due", verify_objects="nothing", repository=str(made))
    assert "no key is named to sign with" in state.message
    assert (made / "data/dataset/ben/ben/faces.txt").is_file()

    state, found = flow_run(maintain, purge="due", key="studio", verify_objects="nothing", repository=str(made))
    assert state.message.startswith("consent of 'ben': to be destroyed, and this footage no purge removes")
    assert "footage/ben.txt" in state.message, "git keeps it"
    assert {each.identity: each.purged for each in found.consents} == {"ada": False, "ben": True}
    for place in ("dataset/ben/ben", "training/ada-ben/model.txt", "encoding/ada-on-ben"):
        assert not (made / "data" / place).exists()
    assert (made / "data/dataset/ada/ada/faces.txt").is_file()
    assert "revoked" in (folder / "ben.yaml").read_text()
    run("git", "rm", "--quiet", "footage/ben.txt", cwd=made)
    state, found = flow_run(maintain, purge="due", key="studio", repository=str(made))
    assert state.is_completed(), "a second run finds nothing left"
    assert {each.identity: each.left for each in found.consents} == {"ada": 0, "ben": 0}

    config = (made / ".dvc/config").read_text()
    add_remote(made, "far", "s3://nowhere/at-all", endpointurl="http://127.0.0.1:1")
    state, found = flow_run(maintain, purge="due", key="studio", verify_objects="nothing", repository=str(made))
    assert state.is_failed(), "what lies there, nobody has looked at"
    assert "remote 'far' was not reached" in state.message
    (made / ".dvc/config").write_text(config)

    put_record(folder, "ada", **term(over, date(2999, 1, 1)))
    options = {"key": "studio", "verify_objects": "nothing", "repository": str(made)}
    state, found = flow_run(maintain, purge="due", **options)
    assert found.consents[0].state == "term over"
    assert (made / "data/dataset/ada/ada/faces.txt").is_file(), "what was made before may lie longer"
    state, found = flow_run(maintain, purge="expired", **options)
    assert state.is_completed(), state.message
    assert found.consents[0].purged
    assert not (made / "data/dataset/ada").exists()


def term(expires: date, destroy_by: date) -> dict[str, Any]:
    """Of a record."""
    return {
        "term": {"given": "2020-01-01", "expires": expires.isoformat()},
        "retention_period": {"destroy_by": destroy_by.isoformat(), "schedule": "all is deleted"},
    }


def test_the_command_tells_machines(made: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    command = [sys.executable, "-m", "flows.command", "maintain", "--verify", "nothing", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {each["identity"]: each["expires"] for each in told["consents"]} == {
        "ada": "2999-12-31",
        "ben": "2999-12-31",
    }
    assert told["garbage"]["objects"] == 0


def test_the_pages_show_a_form_with_descriptions_and_choices() -> None:
    from flows.ingest import ingest
    from flows.nightly import nightly

    for flow in (ingest, nightly, maintain):
        for name, about in flow.parameters.properties.items():
            assert about.get("description"), f"{flow.name}: {name}"
    assert maintain.parameters.properties["purge"]["enum"] == ["nothing", "due", "expired"]
    assert ingest.parameters.required == ["inbox"]
