"""Two runs of the same swap at the same time, of the flow and of plain DVC."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from flows.bench.kills import DVC, FLOW
from flows.pipeline import stale_stages
from tests.flows.conftest import hashes

SWAP = ("--swap", "ada-on-ben")


@pytest.mark.parametrize("other", [(*FLOW, *SWAP), (*DVC, "evaluation@ada-on-ben")], ids=["flow", "dvc"])
def test_both_end_well_with_the_same_bytes(
    other: tuple[str, ...], project: Path, finished: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for command in ((*FLOW, *SWAP), other)
    ]
    said = [process.communicate(timeout=600)[0] for process in started]
    (flow, second), (flow_said, second_said) = started, said
    assert flow.returncode == 0, flow_said
    if second.returncode != 0:  # plain DVC does not wait for what another reads or writes, and says so
        assert "is busy, it is being blocked by" in second_said
    assert hashes(project).items() <= hashes(finished).items()
    assert len(hashes(project)) == 5
    assert stale_stages(project, ["training@ada-ben", "encoding@ada-on-ben", "evaluation@ada-on-ben"]) == {}
