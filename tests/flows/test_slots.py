"""Where the locks of a machine's slots lie: nobody else may have made the place."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from flows.slots import MOST, ensure, lock_folder
from stages.problems import Problem


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folder will be."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / f"likeness-{os.getuid()}"


def mode_of(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_it_is_this_users_alone(place: Path) -> None:
    assert lock_folder() == lock_folder() == place
    assert mode_of(place) == 0o700
    place.chmod(0o755)  # as it was made before
    lock_folder()
    assert mode_of(place) == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o1777])
def test_one_that_others_can_write_to_is_refused(place: Path, mode: int) -> None:
    place.mkdir()
    place.chmod(mode)
    with pytest.raises(Problem, match=f"{place.name}: .*others can write there\n  mend: `chmod 700` it"):
        lock_folder()
    assert mode_of(place) == mode, "what others may have laid there is not trusted afterwards"


@pytest.mark.parametrize("there", ["a link", "a file"])
def test_what_is_no_folder_is_refused(place: Path, there: str) -> None:
    if there == "a file":
        place.touch()
    else:
        (place.parent / "elsewhere").mkdir(mode=0o700)
        place.symlink_to("elsewhere")
    with pytest.raises(Problem, match="another user's"):
        lock_folder()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
def test_another_users_is_refused(place: Path) -> None:
    place.mkdir(mode=0o700)
    os.chown(place, 65534, 65534)
    with pytest.raises(Problem, match="another user's"):
        lock_folder()


def test_more_slots_than_files_can_be_open_are_refused_before_any_is(place: Path) -> None:
    with pytest.raises(Problem, match=f"257 slots are too many\n  mend: choose at most {MOST}"):
        ensure("likeness-disk", MOST + 1, lock_folder(), of_this_machine=True)
    assert not list(place.iterdir())
