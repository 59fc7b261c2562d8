"""The log shows every change: a line that was altered, removed, moved or cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from typer.testing import CliRunner

from stages.audit import log
from stages.audit.commands import app
from stages.problems import Problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of five lines."""
    for number in range(5):
        log.append("check", folder=tmp_path, stage="admission", item=f"clip-{number}", result="allowed")
    return tmp_path


def lines(folder: Path) -> list[str]:
    return (folder / log.LOG).read_text().splitlines()


def test_what_was_appended_is_there_in_order(folder: Path) -> None:
    assert [json.loads(line)["item"] for line in lines(folder)] == [f"clip-{number}" for number in range(5)]
    assert log.verify(folder) == log.Head(5, json.loads(lines(folder)[-1])["hash"])


def test_there_may_be_none_yet(tmp_path: Path) -> None:
    assert log.verify(tmp_path) == log.Head()


Change = Callable[[list[str]], list[str]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda kept: [kept[0], kept[1].replace("clip-1", "clip-9"), *kept[2:]], "line 2 was altered"),
        (lambda kept: [kept[0], *kept[2:]], "line 2 does not follow"),
        (lambda kept: kept[1:], "line 1 does not follow"),
        (lambda kept: [kept[0], kept[2], kept[1], *kept[3:]], "line 2 does not follow"),
        (lambda kept: [*kept[:2], kept[1], *kept[2:]], "line 3 does not follow"),
        (lambda kept: kept[:-1], "its end was removed"),
        (lambda kept: [], "its end was removed"),
        (lambda kept: [*kept[:3], "{"], "line 4 is damaged"),
        (lambda kept: [*kept[:3], "[]"], "line 4 is damaged"),
    ],
    ids=["altered", "removed", "beginning removed", "moved", "repeated", "end removed", "emptied", "torn", "no line"],
)
def test_a_changed_log_is_told_by_its_line(folder: Path, change: Change, told: str) -> None:
    (folder / log.LOG).write_text("".join(f"{line}\n" for line in change(lines(folder))))
    with pytest.raises(Problem, match=told):
        log.verify(folder)


def test_a_removed_end_stops_the_next_line_too(folder: Path) -> None:
    (folder / log.LOG).write_text("".join(f"{line}\n" for line in lines(folder)[:-1]))
    with pytest.raises(Problem, match="ends at line 4, its head says 5"):
        log.append("check", folder=folder)


def test_a_log_made_anew_is_told_by_a_hash_that_was_noted_elsewhere(folder: Path) -> None:
    noted = log.verify(folder).hash
    for file in (log.LOG, log.HEAD):
        (folder / file).unlink()
    log.append("check", folder=folder)
    log.verify(folder)
    with pytest.raises(Problem, match="another log"):
        log.verify(folder, noted)


def test_a_line_that_a_crash_tore_is_cut_off_and_told(folder: Path) -> None:
    with (folder / log.LOG).open("a") as file:
        file.write('{"event": "che')
    log.append("delivery", folder=folder, swap="ada-on-ben")
    assert [json.loads(line)["event"] for line in lines(folder)[-2:]] == ["recovery", "delivery"]
    assert log.verify(folder).lines == 7


def test_a_crash_before_the_head_was_written_is_got_over(folder: Path) -> None:
    head = (folder / log.HEAD).read_text()
    log.append("check", folder=folder)
    (folder / log.HEAD).write_text(head)
    log.append("check", folder=folder)
    assert log.verify(folder).lines == 7


def test_several_may_append_at_the_same_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: log.append("check", folder=tmp_path, item=number), range(40)))
    assert log.verify(tmp_path).lines == 40
    assert {json.loads(line)["item"] for line in lines(tmp_path)} == set(range(40))


def test_what_others_append_while_it_is_looked_at_is_no_damage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines_of = log._entries

    def slow(path: Path) -> Iterator[dict[str, Any]]:
        """The lines as they lie there now; one more is appended before the last of them is looked at."""
        found = list(lines_of(path))
        log.append("check", folder=folder, item="meanwhile")
        yield from found

    monkeypatch.setattr(log, "_entries", slow)
    assert log.verify(folder).lines == 5
    monkeypatch.undo()
    assert log.verify(folder).lines == 6


def test_the_command_tells_people_and_machines(folder: Path) -> None:
    told = CliRunner().invoke(app, ["verify", "--folder", str(folder), "--json"])
    assert json.loads(told.stdout) == {"whole": True, "lines": 5, "hash": log.verify(folder).hash}
    (folder / log.LOG).write_text("".join(f"{line}\n" for line in lines(folder)[1:]))
    refused = CliRunner().invoke(app, ["verify", "--folder", str(folder)])
    assert refused.exit_code == 2
    assert "line 1 does not follow" in refused.stderr


def test_a_damaged_withdrawal_is_no_consent(folder: Path) -> None:
    log.append("withdrawal", folder=folder, record_hash="a" * 64)
    assert log.withdrawn(folder) == {"a" * 64}
    (folder / log.LOG).write_text((folder / log.LOG).read_text().replace('"record_hash"', '"record_hush"'))
    with pytest.raises(Problem, match="about a withdrawal is damaged"):
        log.withdrawn(folder)


def test_a_log_that_somebody_else_keeps_open_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LOCK_SECONDS", 0.0)
    with FileLock(folder / ".lock"), pytest.raises(Problem, match="another process holds the log"):
        log.append("check", folder=folder)
    assert log.verify(folder).lines == 5
