"""A clip comes in if its file can be read and its person agreed; else one message says what to mend."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.admission.stage import place, run
from stages.artifacts.admission import Admission
from stages.problems import Problem
from stages.settings import Params, load_params
from tests.conftest import params_with
from tests.records import put_record

FOOTAGE = Path("data/footage/one.mp4")


@pytest.fixture
def footage(workplace: Path) -> Path:
    """A clip's file as the project's folder names it; admission does not decode it."""
    path = workplace / FOOTAGE
    path.parent.mkdir()
    path.write_bytes(b"frames")
    return path


def refused(params: Params | None = None) -> Problem:
    """The problem with clip "one", which must leave nothing behind."""
    with pytest.raises(Problem) as caught:
        run("one", params or params_with({"one": FOOTAGE}))
    folder = place("one").parent
    assert not folder.exists() or list(folder.iterdir()) == []
    return caught.value


def test_what_came_in_is_written_down(footage: Path) -> None:
    run("one", params_with({"one": FOOTAGE}))
    assert Admission.read(place("one")) == Admission(
        clip="one", path="data/footage/one.mp4", identity="ada", consent="ada-1"
    )
    assert [path.name for path in place("one").parent.iterdir()] == ["one.json"]


def test_the_same_clip_gives_the_same_bytes_whatever_is_in_it(footage: Path) -> None:
    run("one", params_with({"one": FOOTAGE}))
    first = place("one").read_bytes()
    footage.write_bytes(b"other frames")
    os.utime(footage, (0, 0))
    run("one", params_with({"one": FOOTAGE}))
    assert place("one").read_bytes() == first


def test_a_link_to_a_file_comes_in(footage: Path) -> None:
    """DVC may put a link to its cache in a file's place."""
    kept = footage.rename(footage.with_name("kept"))
    footage.symlink_to(kept)
    run("one", params_with({"one": FOOTAGE}))
    assert place("one").is_file()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Path.unlink, "the clip 'one' is not there"),
        (lambda path: path.write_bytes(b""), "the clip 'one' is empty"),
        (_folder, "there are no numbered pictures in it"),
        (_pipe, "the clip 'one' is no regular file"),
        (_circle, "the clip 'one' can not be read"),
    ],
    ids=["missing", "empty", "folder", "pipe", "circle of links"],
)
def test_a_file_that_can_not_be_read_is_refused_by_name(
    footage: Path, fault: Callable[[Path], object], told: str
) -> None:
    fault(footage)
    problem = refused()
    assert problem.what.startswith(told)
    assert problem.where == str(FOOTAGE)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused(footage: Path) -> None:
    footage.chmod(0)
    assert "permissions" in refused().mend


def test_a_file_below_another_file_is_missing(footage: Path) -> None:
    assert "is not there" in refused(params_with({"one": FOOTAGE / "one.mp4"})).what


class TestTheMendOfAMissingFile:
    def test_is_to_put_it_there(self, workplace: Path) -> None:
        assert refused().mend == "put it there or correct clips.one.path in params.yaml"

    @pytest.mark.parametrize("tracked", ["data/footage/one.mp4.dvc", "data/footage.dvc"])
    def test_is_to_fetch_what_dvc_tracks(self, workplace: Path, tracked: str) -> None:
        (workplace / tracked).parent.mkdir(exist_ok=True)
        (workplace / tracked).touch()
        assert "`dvc pull`" in refused().mend

    def test_names_the_nearest_rendered_clip(self, workplace: Path) -> None:
        problem = refused(params_with({"one": Path("data/performances/adda/clip.mp4")}))
        assert "did you mean 'data/performances/ada/clip.mp4'?" in problem.mend

    def test_of_another_name_in_a_rendered_folder_is_told_too(self, workplace: Path) -> None:
        """Only what rendering makes may be missing, not whatever lies beside it."""
        assert "is not there" in refused(params_with({"one": Path("data/performances/ada/film.mp4")})).what


@pytest.mark.parametrize("path", ["data/performances/ada/clip.mp4", "data/truth/ada-on-ben/clip.mp4"])
def test_a_clip_that_is_not_rendered_yet_comes_in(workplace: Path, path: str) -> None:
    run("one", params_with({"one": Path(path)}))
    assert Admission.read(place("one")).path == path


def test_a_person_without_a_record_is_refused(footage: Path, workplace: Path) -> None:
    (workplace / "data/consent/ada.yaml").unlink()
    problem = refused()
    assert problem.what == "there is no consent record for 'ada'"
    assert problem.where == "data/consent/ada.yaml"


def test_a_record_that_does_not_allow_training_is_refused_by_field(footage: Path, workplace: Path) -> None:
    """All the other ways in which a record can be wrong: tests/consent/test_refusals.py."""
    put_record(workplace / "data/consent", "ada", clips=["one"], roles=["source"])
    assert refused().what == "roles: it does not allow 'training', only source"


def test_an_unknown_clip_is_refused_with_the_nearest(workplace: Path) -> None:
    with pytest.raises(Problem, match="did you mean 'ada'"):
        run("adaa", load_params(workplace / "params.yaml"))


def test_a_refusal_leaves_an_earlier_admission_as_it_was(footage: Path) -> None:
    run("one", params_with({"one": FOOTAGE}))
    before = place("one").read_bytes()
    footage.unlink()
    with pytest.raises(Problem):
        run("one", params_with({"one": FOOTAGE}))
    assert [path.read_bytes() for path in place("one").parent.iterdir()] == [before]


def test_a_damaged_admission_is_told(footage: Path) -> None:
    run("one", params_with({"one": FOOTAGE}))
    place("one").write_text('{"clip": "one"}')
    with pytest.raises(Problem, match="it is no admission"):
        Admission.read(place("one"))
