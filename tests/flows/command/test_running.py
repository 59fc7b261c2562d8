"""The end of a command that runs a flow, whatever the flow ends with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from prefect import State, flow
from prefect.states import Failed

from flows.command.running import run_flow
from flows.reproduce import FAILED


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("gives", [{"files": 3}, None])
def test_a_flow_that_gives_nothing_is_told_like_any_that_fails(
    project: Path,
    server: str,
    prefect: str,
    gives: dict[str, int] | None,
    as_json: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    monkeypatch.setenv("PREFECT_HOME", str(project / ".prefect"))  # else it would be set for all tests after

    @flow(persist_result=False)
    def failing() -> State[Any]:
        if gives is None:
            raise ValueError("it broke")
        return Failed(message="it broke", data=gives)

    with pytest.raises(typer.Exit) as ended:
        run_flow(lambda _: failing(return_state=True), as_json=as_json)
    assert ended.value.exit_code == FAILED
    told = capsys.readouterr()
    assert json.loads(told.out or "null") == (gives if as_json else None)
    (line,) = [line for line in told.err.splitlines() if line.startswith("error: ")]
    assert line.endswith("it broke")
