"""`python -m flows.reproduce` and `python -m flows.serve`, as a user starts and ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.flows.conftest import dvc, hashes, processes, wait_for


def program(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the programs in the working directory to its end."""
    command = [sys.executable, "-m", f"flows.{name}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


@contextmanager
def started(name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start one of the programs; it is killed at the latest at the end of the block."""
    # tests that a shell runs in the background ignore SIGINT, and a child would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Path("output.txt").open("wb") as output:
        command = [sys.executable, "-m", f"flows.{name}", *arguments]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=0)[1]


def test_without_any_set_up_and_then_nothing_to_do(project: Path, finished: Path) -> None:
    first = program("reproduce", "--swap", "ada-on-ben", "--jobs", "1")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "5 of 5 stages are up to date" in first.stdout
    assert hashes(project).items() <= hashes(finished).items()
    assert not processes(str(project / ".prefect")), "the server ends with the program"

    (project / ".prefect" / "server.log").unlink()
    second = program("reproduce", "--swap", "ada-on-ben")
    assert second.returncode == 0
    assert second.stdout.strip() == "nothing to do: 5 of 5 stages are up to date"
    assert not (project / ".prefect" / "server.log").exists(), "it takes no server to see that"


def test_one_message_for_what_failed(
    project: Path, fault: Callable[[str, str], None], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    fault("training@ada-ben", "echo 'error: params.yaml: training.iterations: too few' >&2; exit 2")
    done = program("reproduce")
    assert done.returncode == 1
    assert done.stderr.count("error: training@ada-ben: params.yaml: training.iterations: too few") == 1
    assert "not run, for want of these: encoding@ada-on-ben, evaluation@ada-on-ben" in done.stderr
    assert "Traceback" not in done.stderr
    assert (project / "data" / "evaluation" / "ada-on-cyd" / "metrics.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("reproduce", "--swap", "ada-on-bem"), "did you mean 'ada-on-ben'?"),
        (("serve", "--cron", "0 3 * * *", "--pair", "none"), "known: ada-ben, ada-cyd"),
        (("serve", "--cron", "0 3 * * *", "--interval", "60"), "one of --cron and --interval"),
        (("serve", "--pair", "ada-ben"), "one of --cron and --interval"),
        (("serve", "--jobs", "2", "--timeout", "training=3"), "--jobs, --timeout: these belong to one schedule"),
        (("serve",), "prefect.yaml: the deployments are not there"),
        (("serve", "--cron", "0 3 * * *", "--timeout", "training"), "'training' is no deadline"),
        (("serve", "--cron", "at three"), "'at three' is no schedule"),
        (("serve", "--cron", "0 3 * * *", "--timeout", "trainig=3"), "did you mean 'training'?"),
        (("reproduce", "--timeout", "trainig=3"), "did you mean 'training'?"),
    ],
)
def test_wrong_requests_are_told_at_once(made: Path, arguments: tuple[str, ...], message: str) -> None:
    done = program(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert not done.stdout, "no server was started for that"


@pytest.mark.parametrize(
    "arguments",
    [("--interval", "inf"), ("--interval", "1e12"), ("--interval", "60", "--port", "99999"), ("--port", "0")],
)
def test_numbers_that_no_schedule_and_no_port_can_have_are_refused(made: Path, arguments: tuple[str, ...]) -> None:
    done = program("serve", *arguments)
    assert done.returncode == 2
    assert f"Invalid value for '{arguments[-2]}'" in done.stderr
    assert not done.stdout


def test_a_server_that_does_not_answer_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    done = program("reproduce")
    assert done.returncode == 2
    assert done.stderr.startswith("error: http://127.0.0.1:9/api: no Prefect server answers there")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_nothing_is_left_and_it_can_be_run_again(
    project: Path,
    fault: Callable[[str, str], None],
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    ending: signal.Signals,
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    fault("extraction@ada", "test -e begun || { touch begun; sleep 600; }")
    with started("reproduce", "--clip", "ada") as process:
        wait_for(lambda: (project / "begun").exists())
        family = descendants(process)
        assert family
        process.send_signal(ending)
        assert process.wait(300) != 0
        wait_for(lambda: gone(family))
    again = program("reproduce", "--clip", "ada")
    assert again.returncode == 0, again.stdout + again.stderr
    assert (project / "data" / "extraction" / "ada" / "frames.txt").read_text() == "ada\n"


def test_a_schedule_fires_and_skips_what_is_fresh_and_ends_with_all_it_started(
    project: Path, fault: Callable[[str, str], None]
) -> None:
    fault("training@ada-ben", "test ! -e long || { touch begun; sleep 600; }")
    with started("serve", "--interval", "5", "--swap", "ada-on-ben") as process:
        output = project / "output.txt"
        wait_for(lambda: "5 of 5 stages are up to date" in output.read_text())
        wait_for(lambda: "nothing to do" in output.read_text())
        assert "up to date" in dvc("status", "evaluation@ada-on-ben", "--with-deps", cwd=project)

        (project / "long").touch()
        (project / "footage" / "ben.txt").write_text("another ben\n")
        wait_for(lambda: (project / "begun").exists())
        family = descendants(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0, output.read_text()
        wait_for(lambda: gone(family))
    assert not [one for one in processes(str(project)) if one.pid != os.getpid()]
