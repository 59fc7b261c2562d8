"""A withdrawal with --purge, proved by looking at every byte before and after."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.lineage.records import Step
from flows.withdrawal import places, recorded
from flows.withdrawal.places import places_of
from flows.withdrawal.stores import Store
from stages.audit import log as audit
from stages.consent.commands import app
from stages.problems import BAD_INPUT, Problem
from tests.flows.conftest import commit, dvc
from tests.flows.withdrawal.conftest import PARAMS, Bucket, add_remote, content_of, mark, repro, settings

OWN = ("footage/", "data/consent/", "data/audit/", "data/withdrawn/", ".dvc/tmp/", ".dvc/config")
"""Where a purge may or must leave, change or add something."""


def revoke(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["revoke", *arguments, "--yes"])
    assert done.exit_code == status, done.output + done.stderr + str(done.exception)
    return done.stdout + done.stderr


def of(name: str, files: Mapping[str, bytes]) -> set[str]:
    """The files that came from a person: it stands in them, or they list one in which it does."""
    own = {path for path, content in files.items() if mark(name) in content or _clip_of(name, path)}
    hashes = [hashlib.md5(files[path]).hexdigest().encode() for path in own]
    lists = {path for path, content in files.items() if path.endswith(".dir") and any(h in content for h in hashes)}
    runs = {path for path, content in files.items() if "runs/" in path and _reads(name, content)}
    return {path for path in own | lists | runs if not path.startswith(OWN)}


def _clip_of(name: str, path: str) -> bool:
    return path.startswith((f"data/admission/{name}-", f"data/decided/{name}-"))


def _reads(name: str, run: bytes) -> bool:
    about = (f"consent/{name}.yaml", f"clips.{name}-", f"data/decided/{name}-")
    return any(words.encode() in run for words in about)


def rest(files: Mapping[str, bytes], own: set[str]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path not in own and not path.startswith(OWN)}


def test_nothing_of_the_person_stays_in_tree_cache_and_remotes(project: Path, shelf: Path, bucket: Bucket) -> None:
    places = {"tree": lambda: content_of(project), "shelf": lambda: content_of(shelf), "s3": bucket.content}
    before = {name: read() for name, read in places.items()}
    own = {name: of("ada", files) for name, files in before.items()}
    assert {"data/dataset/ada/ada-1/first.txt", "data/encoding/ada-on-ben/second.txt"} < own["tree"]
    assert {"data/training/ada-ben/metrics.json", "data/admission/ada-2.json"} < own["tree"]
    lists = {name: sum(path.endswith(".dir") for path in found) for name, found in own.items()}
    assert lists == {"tree": 7, "shelf": 7, "s3": 7}

    told = revoke("ada", "--key", "ada", "--purge")

    after = {name: read() for name, read in places.items()}
    for name in places:
        assert of("ada", after[name]) == set(), name
        assert not any(mark("ada") in content for path, content in after[name].items() if not path.startswith(OWN))
        assert rest(after[name], set()) == rest(before[name], own[name]), f"{name}: others' artifacts are untouched"
    assert "remote 'store'" in told
    assert "remote 'shelf'" in told
    assert "copies elsewhere" in told
    assert "footage/ada-1.txt" in told, "what was handed over is named"
    assert (project / "footage/ada-1.txt").is_file()
    dvc("status", "--cloud", "--remote", "store", cwd=project)  # DVC can still read its own books


def test_what_a_purge_would_remove_is_listed_first_and_nothing_is_changed(project: Path, shelf: Path) -> None:
    before = content_of(shelf), rest(content_of(project), set())
    told = revoke("ada", "--key", "ada")
    assert before == (content_of(shelf), rest(content_of(project), set()))
    scratch = ".scratch/training/ada-ben-", ".scratch/dataset/ada-1"
    for line in ("data/dataset/ada/ada-1", "data/training/ada-ben/model.bin", *scratch, "remote"):
        assert line in told
    assert "ben-cyd" not in told
    assert "training 3" in told, "a model of git's past, one that only the run cache knows, the one of now"
    assert "--purge" in told


def test_a_second_run_finds_nothing(project: Path) -> None:
    revoke("ada", "--key", "ada", "--purge")
    before = content_of(project)
    told = revoke("ada", "--purge")  # no key is needed, since there is nothing to sign
    assert "Nothing that came from this person is left" in told
    assert content_of(project) == before


def test_a_model_goes_with_either_person_and_with_a_companion(project: Path) -> None:
    revoke("eve", "--key", "eve", "--purge")
    after = content_of(project)
    assert of("eve", after) == set()
    assert "data/training/ada-ben/model.bin" in after
    assert "data/encoding/ada-on-ben/first.txt" in after
    assert "data/dataset/cyd/cyd-1/first.txt" in after, "cyd's own faces stay"
    assert not any(path.startswith(("data/training/ben-cyd", "data/encoding/cyd-on-ben")) for path in after)


def test_a_model_that_was_trained_anew_after_a_companion_had_left_stays(project: Path) -> None:
    (project / "params.yaml").write_text(settings(companions={}))
    (project / "data/cast/ben-cyd/companions/eve.json").unlink()
    repro(project, "training@ben-cyd")
    assert mark("eve") not in (project / "data/training/ben-cyd/model.bin").read_bytes()
    commit(project)
    before = content_of(project)
    revoke("eve", "--key", "eve", "--purge")
    after = content_of(project)
    assert of("eve", after) == set(), "the models that it had a part in are gone from cache and history's objects"
    assert after["data/training/ben-cyd/model.bin"] == before["data/training/ben-cyd/model.bin"]


def test_every_removed_object_has_a_tombstone_that_names_nobody(project: Path) -> None:
    cache = project / ".dvc/cache/files/md5"
    before = set(content_of(cache))
    revoke("ada", "--key", "ada", "--purge")
    gone = {path.replace("/", "") for path in before - set(content_of(cache))}
    (file,) = (project / "data/withdrawn").iterdir()
    stones = [json.loads(line) for line in file.read_text().splitlines()]
    assert gone
    assert gone <= {stone["hash"] for stone in stones if stone["kind"] == "object"}
    assert {stone["stage"] for stone in stones} >= {"extraction", "dataset", "training", "encoding", "admission"}
    # not in hashes: "ada" is hexadecimal too, so that one in some hundreds holds it between two digits
    hexadecimal = {"hash", "record", "signature"}
    said = [" ".join(str(stone[field]) for field in stone.keys() - hexadecimal) for stone in stones]
    assert all(re.fullmatch(r"[0-9a-f]{32,}(\.dir)?", stone["hash"]) for stone in stones if stone["kind"] == "object")
    assert not [line for line in said if {"ada", "ben"} & set(re.findall(r"[a-z]+", line))]
    assert audit.verify().lines > 0


def test_an_altered_tombstone_is_refused_before_anything_is_removed(project: Path) -> None:
    revoke("ada", "--key", "ada", "--purge")
    victim = next((project / ".dvc/cache/files/md5").rglob("*.dir"))
    (file,) = (project / "data/withdrawn").iterdir()
    lines = file.read_text().splitlines()
    said = json.loads(lines[0]) | {"hash": victim.parent.name + victim.name}
    file.write_text("\n".join([json.dumps(said), *lines[1:]]) + "\n")
    assert "line 1 is damaged, or not signed" in revoke("ada", "--purge", status=BAD_INPUT)
    file.write_bytes(b"\xff" + file.read_bytes())
    assert "line 1 is damaged, or not signed" in revoke("ada", "--purge", status=BAD_INPUT)
    assert victim.is_file()


def test_another_machine_removes_what_the_tombstones_name(project: Path, shelf: Path) -> None:
    """It has objects, but no list or lock that tells whose they are."""
    kept = {path: content for path, content in content_of(shelf).items() if "runs/" not in path}
    revoke("ada", "--key", "ada", "--purge")
    for path, content in kept.items():
        place = shelf / path
        if path.endswith(".dir") or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    assert any(mark("ada") in content for content in content_of(shelf).values())
    revoke("ada", "--purge")
    assert not any(mark("ada") in content for content in content_of(shelf).values())


@pytest.mark.parametrize("at", ["the working tree", "the run cache", "the objects"])
def test_a_run_that_is_killed_is_finished_by_the_next(project: Path, shelf: Path, at: str) -> None:
    before = content_of(project)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, at, "revoke", "ada", "--key", "ada", "--purge", "--yes"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    assert any(mark("ada") in content for content in content_of(shelf).values()), "it came too late to test anything"
    revoke("ada", "--key", "ada", "--purge")
    for files in (content_of(project), content_of(shelf)):
        assert of("ada", files) == set()
    assert rest(content_of(project), set()) == rest(before, of("ada", before))
    assert "Nothing that came from this person is left" in revoke("ada", "--purge")


KILLED = """
import os, signal, sys
from flows.withdrawal import purge, stores

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

at = sys.argv.pop(1)
if at == "the working tree":
    real, calls = purge.remove, []
    purge.remove = lambda *given: kill() if len(calls) > 3 else (calls.append(1), real(*given))
elif at == "the run cache":
    stores.Store.remove_runs = kill
else:
    real_remove = stores.Store.remove
    stores.Store.remove = lambda store, oids: (real_remove(store, oids[: len(oids) // 2]), kill())
from stages.consent.commands import app
app()
"""


def test_previews_of_the_persons_swaps_go_too(project: Path) -> None:
    folder = project / ".scratch/preview"
    folder.mkdir(parents=True)
    for swap in ("ada-on-ben", "cyd-on-ben"):
        (folder / f"{swap}.png").write_bytes(b"".join(mark(name) for name in swap.split("-on-")))
    revoke("ada", "--key", "ada", "--purge")
    assert [path.name for path in folder.iterdir()] == ["cyd-on-ben.png"]


def test_what_was_decided_by_hand_about_the_persons_clips_goes_too(project: Path) -> None:
    for clip, name in (("ada-1", "ada"), ("ben-1", "ben")):
        put(project / f"data/decisions/{clip}.yaml", mark(name))
        put(project / f".scratch/landmarks/{clip}.png", mark(name))
    put(project / ".scratch/landmarks.png", mark("ada"))  # as the chart was called once, whoever's it is
    told = revoke("ada", "--key", "ada", "--purge")
    assert "data/decisions/ada-1.yaml" in told
    assert of("ada", content_of(project)) == set()
    assert (project / "data/decisions/ben-1.yaml").is_file()
    assert (project / ".scratch/landmarks/ben-1.png").is_file()


def test_decisions_about_a_clip_that_is_somebody_elses_now_stay(project: Path) -> None:
    clips = PARAMS["clips"] | {"ada-1": {"identity": "ben", "path": "footage/ben-1.txt"}}
    (project / "params.yaml").write_text(settings(clips=clips))
    put(project / "data/decisions/ada-1.yaml", mark("ben"))
    revoke("ada", "--key", "ada", "--purge")
    assert (project / "data/decisions/ada-1.yaml").is_file()


def layered(place: Path, source: str, target: str, logged: str) -> None:
    """A layered delivery, and its line in the audit log."""
    consent = {"source": f"{source}-1", "target": f"{target}-1"}
    put(place / "layers.json", json.dumps({"consent": consent}).encode())
    put(place / "face/000000.exr", mark(source))
    audit.append("delivery", swap=f"{source}-on-{target}", consent=consent, layers=logged)


def test_layers_that_were_put_elsewhere_in_the_project_go_by_the_log(project: Path) -> None:
    layered(project / "shots/one", "ada", "ben", "shots/one")
    layered(project / "shots/two", "ada", "ben", str(project / "shots/two"))
    layered(project / "shots/three", "cyd", "ben", "shots/three")
    layered(project / "shots/four", "ada", "ben", "shots/four")
    layered(project / "shots/four", "cyd", "ben", "shots/four")  # made again in its place, of others
    revoke("ada", "--key", "ada", "--purge")
    assert sorted(path.name for path in (project / "shots").iterdir()) == ["four", "three"]
    assert of("ada", content_of(project)) == set()
    assert "Nothing that came from this person is left" in revoke("ada", "--purge")


def test_what_a_killed_delivery_left_of_its_layers_is_among_the_places(tmp_path: Path) -> None:
    for name in (".ada-on-ben.4f2c.part", "ada-on-ben", ".cyd-on-ben.77aa.part", "cyd-on-ben"):
        put(tmp_path / "data/layers" / name / "face/000000.exr", b"a face")
    own = Step("compositing@ada-on-ben", "python -m stages.compositing ada-on-ben", {}, (), ())
    assert places_of(tmp_path, [own], []) == [
        Path("data/layers/.ada-on-ben.4f2c.part"),
        Path("data/layers/ada-on-ben"),
    ]


def test_what_kills_left_of_layers_goes_wherever_it_lies(project: Path, tmp_path: Path) -> None:
    """Whose a half is, it says itself: others' work goes on beside it, and files of no delivery are not ours."""
    far = tmp_path / "far"
    for folder, logged in ((project / "shots", "shots/one"), (far, str(far / "one"))):
        for half, source in ((".one.4f2c_x7a.part", "ada"), (".one.77aa0b1c.part", "cyd")):
            consent = {"source": f"{source}-1", "target": "ben-1"}
            put(folder / half / "layers.json", json.dumps({"consent": consent}).encode())
            put(folder / half / "face/000000.exr", mark(source))
            audit.append("begun", swap=f"{source}-on-ben", consent=consent, layers=logged)
        put(folder / ".one.mkv.part", b"a download")
        put(folder / ".one.of-mine.part/notes.txt", b"keep")
    digest = hashlib.md5((far / ".one.4f2c_x7a.part/layers.json").read_bytes()).hexdigest()
    assert str(far / ".one.4f2c_x7a.part") in revoke("ada", "--key", "ada")
    told = revoke("ada", "--key", "ada", "--purge")
    assert f"elsewhere, of layers whose delivery was cut off:\n    {far / '.one.4f2c_x7a.part'}\n" in told
    for folder in (project / "shots", far):
        kept = [".one.77aa0b1c.part", ".one.mkv.part", ".one.of-mine.part"]
        assert sorted(path.name for path in folder.iterdir()) == kept
    assert of("ada", content_of(project)) == set()
    (stones,) = (project / "data/withdrawn").iterdir()
    assert digest in stones.read_text()
    assert "layers that were written outside" not in told, "nobody was handed any"
    assert "Nothing that came from this person is left" in revoke("ada", "--purge")


def test_a_begun_delivery_to_where_nobody_can_look_now_is_named(project: Path, tmp_path: Path) -> None:
    consent = {"source": "ada-1", "target": "ben-1"}
    for place in ("taken out/one", "here"):
        audit.append("begun", swap="ada-on-ben", consent=consent, layers=str(tmp_path / place))
    told = revoke("ada", "--key", "ada", "--purge")
    assert f"layers that were written outside of the project ({tmp_path / 'taken out/one'})" in told


def test_of_layers_the_file_that_tells_whose_they_are_goes_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("face/000000.exr", "layers.json", "matte/000000.png"):
        put(tmp_path / "out" / name, b"ada")
    monkeypatch.setattr(places.shutil, "rmtree", refuse)
    with pytest.raises(PermissionError):
        places.remove(tmp_path, Path("out"))
    assert (tmp_path / "out/layers.json").is_file()
    monkeypatch.undo()
    places.remove(tmp_path, Path("out"))
    assert list(tmp_path.iterdir()) == []


def refuse(path: Path) -> None:
    raise PermissionError(path)


def test_layers_outside_of_the_project_stay_and_are_named_each_time(project: Path, tmp_path: Path) -> None:
    layered(tmp_path / "handed", "ada", "ben", str(tmp_path / "handed"))
    layered(tmp_path / "others", "cyd", "ben", str(tmp_path / "others"))
    for arguments in (("--key", "ada", "--purge"), ("--purge",)):
        told = revoke("ada", *arguments)
        assert f"layers that were written outside of the project ({tmp_path / 'handed'})" in told
    assert (tmp_path / "handed/face/000000.exr").is_file()


def test_each_kind_of_thing_that_goes_has_its_tombstone(project: Path) -> None:
    """An object of DVC, an entry of its run cache, a file that it does not keep."""
    runs = project / ".dvc/cache/runs"
    entries = {path.name for path in runs.rglob("*") if path.is_file()}
    [scratch] = (project / ".scratch/training").glob("ada-ben-*/*")
    digest = hashlib.md5(scratch.read_bytes()).hexdigest()
    revoke("ada", "--key", "ada", "--purge")
    gone = entries - {path.name for path in runs.rglob("*") if path.is_file()}
    (file,) = (project / "data/withdrawn").iterdir()
    stones = [json.loads(line) for line in file.read_text().splitlines()]
    of_kind = {kind: {stone["hash"] for stone in stones if stone["kind"] == kind} for kind in ("object", "run", "file")}
    assert gone
    assert of_kind["run"] == gone
    assert digest in of_kind["file"] - of_kind["object"]
    assert all(len(stone["signature"]["value"]) == 128 for stone in stones)


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_remote_that_can_not_be_reached_is_said_and_is_no_success(project: Path) -> None:
    add_remote(project, "far", "s3://nowhere/at-all", endpointurl="http://127.0.0.1:1")
    told = revoke("ada", "--key", "ada", "--purge", status=BAD_INPUT)
    assert "NOT REACHED: remote 'far'" in told
    assert of("ada", content_of(project)) == set(), "what can be reached is removed all the same"


def test_a_remote_that_refuses_to_remove_keeps_the_others_from_nothing(
    project: Path, shelf: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, remove_runs = Store.remove, Store.remove_runs

    def refusing(real: Callable[[Store, Sequence[str]], None]) -> Callable[[Store, Sequence[str]], None]:
        def removed(store: Store, names: Sequence[str]) -> None:
            if store.name == "remote 'shelf'" and names:
                raise PermissionError("read only")
            real(store, names)

        return removed

    monkeypatch.setattr(Store, "remove", refusing(remove))
    monkeypatch.setattr(Store, "remove_runs", refusing(remove_runs))
    before = content_of(shelf)
    told = revoke("ada", "--key", "ada", "--purge", status=BAD_INPUT)
    assert "NOT REACHED: remote 'shelf' (read only)" in told
    assert "in remote 'shelf': " not in told, "it is not said to be removed"
    assert [line["refused"] for line in audit.entries("purge") if "refused" in line] == [["remote 'shelf'"]]
    assert of("ada", content_of(project)) == of("ada", bucket.content()) == set()
    assert content_of(shelf) == before
    monkeypatch.undo()
    monkeypatch.chdir(project)
    revoke("ada", "--purge")
    assert of("ada", content_of(shelf)) == set(), "the tombstones tell the next run what lies there"


def test_a_purge_by_a_key_of_nobody_who_agreed_removes_and_writes_nothing(project: Path) -> None:
    revoke("ada", "--key", "ada")
    before = content_of(project)
    told = revoke("ada", "--purge", "--key", "ben", status=BAD_INPUT)
    assert "'performer ben' is not a party to it" in told
    assert "use the key of performer ada" in told
    assert content_of(project) == before
    revoke("ada", "--purge", "--key", "ada")
    assert of("ada", content_of(project)) == set()


def test_a_repository_that_git_does_not_open_is_no_empty_one(project: Path) -> None:
    assert recorded.tracked(project, ["params.yaml", str(project.parent / "elsewhere.txt")]) == ["params.yaml"]
    (project / ".git" / "HEAD").write_text("broken")
    with pytest.raises(Problem, match="git does not tell what it keeps"):
        recorded.tracked(project, ["params.yaml"])
    told = revoke("ada", "--key", "ada", "--purge", status=BAD_INPUT)
    assert "git does not tell what it keeps" in told
    assert of("ada", content_of(project)), "nothing is removed as long as it is not known what there is"


def test_footage_goes_only_if_asked_for_and_not_if_it_is_somebody_elses_too(project: Path) -> None:
    clips = PARAMS["clips"] | {"ben-2": {"identity": "ben", "path": "footage/ada-2.txt"}}
    (project / "params.yaml").write_text(settings(clips=clips))
    revoke("ada", "--key", "ada", "--purge", "--footage")
    assert not (project / "footage/ada-1.txt").exists()
    assert (project / "footage/ada-2.txt").is_file()


def test_a_folder_that_holds_somebody_elses_clip_stays(project: Path) -> None:
    for name, file in (("ada", "0001.png"), ("ben", "ben.txt")):
        (project / "shots").mkdir(exist_ok=True)
        (project / "shots" / file).write_bytes(mark(name))
    clips = PARAMS["clips"] | {
        "ada-3": {"identity": "ada", "path": "shots", "rate": 25},
        "ben-3": {"identity": "ben", "path": "./shots/ben.txt"},
    }
    (project / "params.yaml").write_text(settings(clips=clips))
    revoke("ada", "--key", "ada", "--purge", "--footage")
    assert not (project / "footage/ada-1.txt").exists()
    assert (project / "shots/ben.txt").read_bytes() == mark("ben")


def test_footage_that_dvc_tracks_goes_from_its_cache_too(project: Path, shelf: Path) -> None:
    dvc("add", "--quiet", "footage/eve-1.txt", cwd=project)
    dvc("push", "--quiet", "--remote", "shelf", "footage/eve-1.txt.dvc", cwd=project)
    revoke("eve", "--key", "eve", "--purge", "--footage")
    assert not any(mark("eve") in content for content in content_of(shelf).values())
    assert not any(mark("eve") in content for content in content_of(project).values())


def test_nothing_is_removed_while_the_consent_is_in_force(project: Path) -> None:
    from flows.withdrawal.purge import purge
    from stages.settings import Params

    before = content_of(project)
    with pytest.raises(Problem, match="in force"):
        purge("ada", Params.model_construct(clips={}, identities={}), lambda: pytest.fail("it asked for a key"))
    assert content_of(project) == before


def test_who_is_in_no_setting_any_more_is_found_by_what_was_written_down(project: Path) -> None:
    """The person was taken out of params.yaml before anybody thought of a purge."""
    clips = {name: clip for name, clip in PARAMS["clips"].items() if clip["identity"] != "ada"}
    left = {"pairs": {"ben-cyd": PARAMS["pairs"]["ben-cyd"]}, "swaps": {"cyd-on-ben": PARAMS["swaps"]["cyd-on-ben"]}}
    (project / "params.yaml").write_text(settings(clips=clips, **left))
    revoke("ada", "--key", "ada", "--purge")
    assert of("ada", content_of(project)) == set()
