"""The one error type a user sees."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path

import pytest

from stages.problems import BAD_INPUT, OUT_OF_ORDER, Outage, Problem, told_as_problem
from stages.program import tell
from stages.training.consent_watch import ConsentEnded


@pytest.mark.parametrize("kind", [Problem, Outage, ConsentEnded])
def test_a_problem_goes_from_a_worker_process_to_the_one_that_waits_as_it_is(kind: type[Problem]) -> None:
    problem = kind("it is broken", where="here", mend="mend it")
    other = pickle.loads(pickle.dumps(problem))
    assert type(other) is kind
    assert (other.what, other.where, other.mend, str(other)) == ("it is broken", "here", "mend it", str(problem))


@pytest.mark.parametrize(("kind", "status"), [(Problem, BAD_INPUT), (Outage, OUT_OF_ORDER), (ConsentEnded, BAD_INPUT)])
def test_a_program_s_exit_status_says_whether_trying_again_can_help(kind: type[Problem], status: int) -> None:
    assert tell(kind("it is broken", where="here", mend="mend it")) == status


@pytest.mark.parametrize("relative", ["result", "error", "neither", "both"])
def test_a_result_that_can_not_be_written_is_told_however_its_path_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: str
) -> None:
    monkeypatch.chdir(tmp_path)
    where, half = Path("data/out"), Path("data/.out.part/facts.json")
    where = where if relative in ("result", "both") else where.absolute()
    half = half if relative in ("error", "both") else half.absolute()
    with pytest.raises(Problem, match="it can not be written") as caught, told_as_problem(where):
        raise PermissionError(errno.EACCES, "Permission denied", str(half))
    assert caught.value.where == str(where)
