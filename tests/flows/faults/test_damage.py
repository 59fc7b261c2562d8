"""Files that were damaged where they lie: a result, an object in DVC's cache, a dvc.lock that was cut off."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from flows.bench.kills import DVC, FLOW
from stages.artifacts.files import REMAKE
from tests.flows.conftest import commit, dvc, hashes, run

FRAMES = "data/extraction/ada/frames.txt"
PAIR = (*FLOW, "--pair", "ada-ben")

READER = f"""\
grep -q ada {FRAMES} || {{ echo 'error: {FRAMES}: it is no readable table' >&2; cat mend >&2; exit 2; }}
"""
"""A stage that looks at what it reads, as those of `stages` do."""


@pytest.fixture
def linked(made: Path) -> Path:
    """The project with its results as links to DVC's cache, as this project has it, entered."""
    dvc("config", "cache.type", "hardlink,symlink,copy", cwd=made)
    dvc("checkout", "--quiet", "--relink", cwd=made)
    assert (made / FRAMES).stat().st_nlink > 1
    return made


def damage(file: Path, *, quietly: bool) -> None:
    """Change a byte of a file in place; quietly: as a disk does it, whose clock and sizes stay."""
    before = file.stat()
    file.chmod(0o644)
    file.write_bytes(b"#" + file.read_bytes()[1:])
    file.chmod(0o444)
    if quietly:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def flow() -> subprocess.CompletedProcess[str]:
    return subprocess.run(PAIR, capture_output=True, text=True, timeout=600, check=False)


def test_dvc_puts_a_damaged_object_back_and_calls_it_up_to_date(linked: Path) -> None:
    """Why the flow looks for itself."""
    damage(linked / FRAMES, quietly=False)
    assert "modified" in dvc("status", cwd=linked)
    dvc("repro", "--quiet", cwd=linked)
    assert (linked / FRAMES).read_text() == "#da\n", "DVC can help itself now: flows/damage.py is no longer needed"
    assert "up to date" in dvc("status", cwd=linked)


def test_a_result_that_was_changed_is_made_again(
    linked: Path, finished: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    damage(linked / FRAMES, quietly=False)
    done = flow()
    assert done.returncode == 0, done.stderr
    assert (linked / FRAMES).read_text() == "ada\n"
    assert hashes(linked) == hashes(finished)


def test_what_a_disk_lost_quietly_is_found_by_who_reads_it(
    linked: Path, finished: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    (linked / "mend").write_text(f"  mend: {REMAKE}\n")
    (linked / "faults").mkdir()
    (linked / "faults" / "training@ada-ben").write_text(READER)
    run("sh", "-c", "rm -r data/training/ada-ben .dvc/cache/runs; echo '# more' >> stages/step.sh", cwd=linked)
    dvc("commit", "--force", "--quiet", "extraction@ada", "extraction@ben", cwd=linked)
    damage(linked / FRAMES, quietly=True)
    assert dvc("status", "extraction@ada", cwd=linked).endswith("up to date.\n"), "nobody can see it from outside"
    first = flow()
    assert first.returncode == 1
    assert f"training@ada-ben: {FRAMES}: it is no readable table" in first.stderr
    assert (
        "data/extraction/ada: not as recorded any more, and removed now, from DVC's cache, too: run again"
        in first.stderr
    )
    second = flow()
    assert second.returncode == 0, second.stderr
    assert (linked / FRAMES).read_text() == "ada\n"
    assert (linked / "data/training/ada-ben/model.txt").read_text() == "ada\nben\n"


def test_a_lost_object_is_made_again(made: Path, finished: Path) -> None:
    run("sh", "-c", "rm -r .dvc/cache/files data/extraction data/training", cwd=made)
    run(*DVC, "training@ada-ben", cwd=made)
    assert hashes(made) == hashes(finished)
    assert (made / FRAMES).read_text() == "ada\n"


def test_a_dvc_lock_that_was_cut_off_is_told_and_costs_no_work(
    project: Path, finished: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    dvc("repro", "--quiet", "extraction@ada", cwd=project)
    commit(project, "one stage")
    dvc("repro", "--quiet", "training@ada-ben", cwd=project)
    lock = project / "dvc.lock"
    lock.write_text(lock.read_text()[: len("schema: '2.0'\nstages:\n  extr")])
    told = flow()
    assert told.returncode == 2
    assert "mend: `git checkout dvc.lock`, run again" in told.stderr
    assert "Traceback" not in told.stderr
    run("git", "checkout", "--quiet", "dvc.lock", cwd=project)
    again = flow()
    assert again.returncode == 0, again.stderr
    assert "is cached - skipping run" in again.stdout + again.stderr
    assert "Running stage" not in again.stdout + again.stderr
    assert hashes(project).items() <= hashes(finished).items()
