"""prefect.yaml on a real server, with a real worker: a run, a cancel, and all of it by one command."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.flows import load_flow_from_entrypoint
from prefect.states import Cancelling

from flows.deploy import POOL
from tests.flows.conftest import REPOSITORY, dvc, processes, wait_for
from tests.flows.deploy.conftest import WAIT, worker
from tests.flows.test_programs import descendants, gone, program, started
from tests.postgres import postgres

DEPLOYMENTS = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text())["deployments"]


@pytest.mark.parametrize("entrypoint", sorted({each["entrypoint"] for each in DEPLOYMENTS}))
def test_each_entrypoint_loads_and_its_parameters_are_described(entrypoint: str) -> None:
    flow = load_flow_from_entrypoint(entrypoint)
    given = [each.get("parameters", {}) for each in DEPLOYMENTS if each["entrypoint"] == entrypoint]
    assert all(set(each) <= set(flow.parameters.properties) for each in given)
    assert all(told.get("description") for told in flow.parameters.properties.values())


def test_all_are_of_the_pool_that_serve_works_for() -> None:
    assert {each["work_pool"]["name"] for each in DEPLOYMENTS} == {POOL}


def test_a_run_of_a_worker_that_is_cancelled_leaves_nothing_and_the_next_one_ends_well(
    deployable: Path, fault: Callable[[str, str], None], prefect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect)
    done = program("deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    fault("extraction@ben", "test -e begun || { touch begun; sleep 600 & sleep 600; }")
    output = deployable.parent / "worker.txt"
    with worker(deployable, prefect), get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("reproduce/on-demand")

        def begin(**parameters: object) -> object:
            run = client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
            return run.id

        def state(run: object) -> str:
            found = client.read_flow_run(run).state  # type: ignore[arg-type]
            assert found is not None
            return found.type.value

        long = begin(clips=["ben"])
        wait_for(lambda: (deployable / "begun").exists(), WAIT)
        client.set_flow_run_state(long, Cancelling())  # type: ignore[arg-type]
        wait_for(lambda: state(long) == "CANCELLED", WAIT)
        wait_for(lambda: not [one for one in processes(str(deployable)) if "worker" not in one.cmdline()], WAIT)
        assert not (deployable / "data" / "extraction" / "ben").exists()
        again = begin(clips=["ben"])
        wait_for(lambda: state(again) in ("COMPLETED", "FAILED", "CRASHED"), WAIT)
        assert state(again) == "COMPLETED", output.read_text()
    assert "up to date" in dvc("status", "extraction@ben", cwd=deployable)


@pytest.fixture(params=["SQLite", "Postgres"])
def database(request: pytest.FixtureRequest, deployable: Path) -> Iterator[tuple[str, Callable[[], int]]]:
    """A database's address, and a count of the runs of flows in it that ended well."""
    question = "select count(*) from flow_run where state_type = 'COMPLETED'"
    if request.param == "Postgres":
        with postgres() as server:
            yield server.address, lambda: int(server.ask(question))
        return
    file = deployable.parent / "elsewhere.db"

    def count() -> int:
        with closing(sqlite3.connect(file)) as connection:
            return int(connection.execute(question).fetchone()[0])

    yield f"sqlite+aiosqlite:///{file}", count


def test_serve_brings_server_worker_and_schedules_and_its_database_is_where_one_setting_says(
    deployable: Path, database: tuple[str, Callable[[], int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load((deployable / "prefect.yaml").read_text())
    scheduled = next(each for each in content["deployments"] if each["name"] == "scheduled")
    # what this small project lacks, a nightly run would miss
    entrypoint = "flows.reproduction.reproduce"
    scheduled |= {"entrypoint": entrypoint, "parameters": {"clips": ["ada"]}, "schedules": [{"interval": 5}]}
    (deployable / "prefect.yaml").write_text(yaml.safe_dump(content))
    address, completed = database
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", address)
    monkeypatch.setenv("PREFECT_WORKER_QUERY_SECONDS", "1")
    output = deployable / "output.txt"
    with started("serve") as process:
        wait_for(lambda: process.poll() is not None or "nothing to do" in output.read_text(), WAIT)
        assert process.poll() is None, output.read_text()
        # the run tells of it before the server has written it down
        wait_for(lambda: completed() >= 2, WAIT)
        family = descendants(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT) == 0, output.read_text()
        wait_for(lambda: gone(family), WAIT)
    assert "up to date" in dvc("status", "extraction@ada", cwd=deployable)
    assert not (deployable / ".prefect" / "prefect.db").exists()
