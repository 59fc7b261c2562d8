"""An artifact appears whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from stages.atomic import whole_file, whole_folder
from stages.problems import Problem
from tests.killing import killed


def test_a_folder_appears_when_all_is_written(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "artifact"
    with whole_folder(place) as folder:
        (folder / "a").write_text("1")
        assert not place.exists()
    assert (place / "a").read_text() == "1"
    assert [path.name for path in place.parent.iterdir()] == ["artifact"]


def test_a_failure_leaves_the_old_folder_and_no_scratch(tmp_path: Path) -> None:
    place = tmp_path / "artifact"
    with whole_folder(place) as folder:
        (folder / "a").write_text("old")
    with pytest.raises(RuntimeError), whole_folder(place) as folder:
        (folder / "a").write_text("new")
        raise RuntimeError
    assert (place / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["artifact"]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    place = tmp_path / "facts.json"
    place.write_text("old")
    with pytest.raises(RuntimeError), whole_file(place) as path:
        path.write_text("half")
        raise RuntimeError
    assert place.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["facts.json"]


def test_a_full_disk_is_told_with_its_mend_and_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "artifact"
    with pytest.raises(Problem) as caught, whole_folder(place) as folder:
        (folder / "a").write_text("half")
        with Path("/dev/full").open("w") as full:  # the kernel's own full disk
            full.write("x" * 10)
    assert "disk is full" in caught.value.what
    assert caught.value.where == str(place)
    assert "free some space" in caught.value.mend
    assert list(tmp_path.iterdir()) == []


def test_an_input_that_may_not_be_read_is_not_told_as_the_result(tmp_path: Path) -> None:
    locked = tmp_path / "elsewhere/clip.mp4"
    with pytest.raises(Problem, match="it can not be read or written") as caught, whole_folder(tmp_path / "data/out"):
        raise PermissionError(errno.EACCES, "Permission denied", str(locked))
    assert caught.value.where == str(locked)
    assert list((tmp_path / "data").iterdir()) == []


def test_other_faults_of_the_disk_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="I/O"), whole_folder(tmp_path / "artifact"):
        raise OSError(errno.EIO, "I/O error")


def killed_while_writing(place: Path) -> None:
    """What a child does."""
    with whole_folder(place) as folder:
        (folder / "half").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_killed_process_left_is_removed_and_what_another_writes_is_not(tmp_path: Path) -> None:
    place = tmp_path / "made"
    killed(killed_while_writing, place)
    [left] = tmp_path.iterdir()
    with whole_folder(place) as other:
        assert not left.exists()
        (other / "other").touch()
        with whole_folder(place) as folder:
            assert (other / "other").exists()
            (folder / "mine").touch()
        assert [path.name for path in place.iterdir()] == ["mine"]
    assert [path.name for path in place.iterdir()] == ["other"]
    assert list(tmp_path.iterdir()) == [place]


def killed_while_writing_a_file(place: Path) -> None:
    """What a child does."""
    with whole_file(place) as path:
        path.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_file_that_a_killed_process_left_is_removed_and_one_that_is_written_is_not(tmp_path: Path) -> None:
    place = tmp_path / "facts.json"
    killed(killed_while_writing_a_file, place)
    [left] = tmp_path.iterdir()
    other = tmp_path / f".facts.json.{os.getppid()}.part.json"
    other.write_text("at work")
    unlike = tmp_path / ".facts.json.mine.part.json"
    unlike.write_text("no number of a process")
    with whole_file(place) as path:
        assert not left.exists()
        path.write_text("whole")
    assert place.read_text() == "whole"
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([place.name, other.name, unlike.name])
