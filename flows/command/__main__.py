"""``likeness``, or ``python -m flows.command``: everything a person does with the project, under one name."""

from __future__ import annotations

import typer

from flows.command.lazy import LazyGroup, mount

COMMANDS = (
    (
        "status",
        "flows.status.__main__",
        "How clips, pairs and swaps stand, and what a run would do.",
    ),
    ("run", "flows.reproduce", "Bring the chosen results up to date; with nothing chosen, all of them."),
    ("serve", "flows.serve", "The schedules of prefect.yaml, or one of yours, with Prefect's pages."),
    ("ingest", "flows.command.ingest", "Take in footage from a folder or bucket, up to the face set."),
    ("nightly", "flows.command.nightly", "Take in, train what is stale, deliver, evaluate, report."),
    ("maintain", "flows.command.maintain", "Garbage of the cache, corrupt objects, consents that end."),
    ("report", "flows.command.report", "Where each swap's deliverable and report lie, and its figures."),
    ("lineage", "flows.lineage.__main__", "Where a result came from, what uses a file, how two deliverables differ."),
    ("verify", "stages.verify.__main__", "What any file says of its making: a credential, our mark, both or neither."),
    ("add", "flows.command.add", "Put a clip, an identity, a pair or a swap into params.yaml."),
    ("consent", "stages.consent.commands", "Records of who agreed to what: make, sign, check, withdraw."),
    ("audit", "stages.audit.commands", "The log of checks, trainings, deliveries and withdrawals."),
    ("doctor", "flows.doctor.__main__", "What this machine has, and what to do about what it lacks."),
)
"""Name, module with its ``app``, what it does."""

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _main() -> None:
    """Replace faces between consenting people, reproducibly. README.md tells the whole way."""


for _name, _module, _says in COMMANDS:
    mount(app, _name, _module, _says)


def main() -> None:
    """Run the command."""
    app(prog_name="likeness")


if __name__ == "__main__":
    main()
