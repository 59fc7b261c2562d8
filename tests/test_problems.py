"""The one error type a user sees."""

from __future__ import annotations

import pickle

import pytest

from stages.problems import Problem
from stages.training.consent_watch import ConsentEnded


@pytest.mark.parametrize("kind", [Problem, ConsentEnded])
def test_a_problem_goes_from_a_worker_process_to_the_one_that_waits_as_it_is(kind: type[Problem]) -> None:
    problem = kind("it is broken", where="here", mend="mend it")
    other = pickle.loads(pickle.dumps(problem))
    assert type(other) is kind
    assert (other.what, other.where, other.mend, str(other)) == ("it is broken", "here", "mend it", str(problem))
