"""What Prefect finds when it is imported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.environment import find_root, prepare
from stages.problems import Problem


def test_the_project_has_a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "7")
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    before = dict(os.environ)
    try:
        prepare(tmp_path)
        assert os.environ["PREFECT_HOME"] == str(tmp_path / ".prefect")
        assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
        assert os.environ["DVC_NO_ANALYTICS"] == "1"
        assert os.environ["DO_NOT_TRACK"] == "0", "what the user has set stays"
        assert os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] == "7"
        assert (tmp_path / ".prefect" / ".gitignore").read_text() == "*\n"
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]


def test_the_root_is_found_from_below(project: Path) -> None:
    assert find_root(project / "footage") == project


def test_outside_a_project_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not inside a DVC repository"):
        find_root(tmp_path)
