"""``python -m flows.deploy``: make the work pool, the deployments of prefect.yaml and the automations on a server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.children import Children
from flows.environment import find_root, prepare
from flows.server import answers
from stages.problems import Problem
from stages.program import tell

FILE = "prefect.yaml"
POOL = "likeness"
"""The work pool of prefect.yaml, of processes: ``prefect worker start --pool likeness`` works for it."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Notify = Annotated[
    str | None,
    typer.Option(help="an address that takes a POST of JSON on each event, a chat's for instance (docs/flows.md)"),
]


@app.command()
def main(notify: Notify = None) -> None:
    """Make them on the server that PREFECT_API_URL names. What is there already is brought up to date."""
    try:
        root = find_root()
        prepare(root)
        address = os.environ.get("PREFECT_API_URL")
        if not address or not answers(address):
            raise Problem(
                "no Prefect server answers there",
                where=f"PREFECT_API_URL={address or ''}",
                mend="name one that runs, or use `likeness serve`, which brings its own",
            )
        deploy(root, notify)
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None


def require_file(root: Path) -> None:
    """Raises: Problem if there are no deployments to make."""
    if not (root / FILE).is_file():
        raise Problem("the deployments are not there", where=root / FILE, mend="restore it: git checkout prefect.yaml")


def deploy(root: Path, notify: str | None) -> None:
    """Make all of it.

    Raises:
        Problem: Prefect refuses a part of it.
    """
    require_file(root)
    _ensure_pool()
    lines: list[str] = []
    children = Children()
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    status = children.run(command, cwd=root, on_line=lines.append)
    if status != 0:
        raise Problem("\n".join(["Prefect refuses it:", *lines[-12:]]), where=root / FILE, mend="mend what it names")
    print("deployments of prefect.yaml: made", flush=True)
    if notify is not None:
        # Not before prepare(): Prefect reads its settings when it is imported.
        from flows import automations

        print(f"automations: {', '.join(automations.ensure(notify))}", flush=True)


def _ensure_pool() -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(POOL)
        except ObjectNotFound:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))


if __name__ == "__main__":
    app(prog_name="python -m flows.deploy")
