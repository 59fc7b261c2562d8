"""``likeness add``: a new clip, identity, pair or swap in params.yaml, and what to do next."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import chdir
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from flows.command.settings_file import add_entry
from flows.environment import find_root
from stages.admission.footage import require_footage
from stages.check import require_coding
from stages.consent import (
    consent_path,
    require_clip_consent,
    require_pair_consent,
    require_record,
    require_swap_consent,
)
from stages.consent.evidence import require_enrolment, require_pictures
from stages.evaluation.right_answer import require_right_answer
from stages.names import names_in
from stages.problems import Problem, nearest
from stages.program import tell
from stages.settings import NO_TRUTH, Params, load_params

FILE: Final = Path("params.yaml")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)

NewName = Annotated[str, typer.Argument(help="small letters, digits, '-' and '_'", metavar="NAME")]
Identity = Annotated[str, typer.Option(help="who is in it", autocompletion=names_in("identities"))]


@app.callback()
def _main() -> None:
    """Add to params.yaml. The rest of the file, comments included, stays as it is; what would be wrong is refused."""


@app.command()
def identity(
    name: NewName,
    reference: Annotated[
        list[Path] | None, typer.Option(help="a picture of the person, to tell them from others (may be repeated)")
    ] = None,
) -> None:
    """A person. Next come clips of them, and their consent."""
    entry = {"reference": [_within(path) for path in reference]} if reference else {}
    _add("identities", name, entry, [f"likeness add clip {name}-1 --identity {name} --path FILE"])


@app.command()
def clip(
    name: NewName,
    identity: Identity,
    path: Annotated[Path, typer.Option(help="a video file, or a folder of numbered pictures")],
    start: Annotated[str | None, typer.Option(help='where the part that is taken begins: 12.5 or "0:01:12.5"')] = None,
    end: Annotated[str | None, typer.Option(help="where it ends")] = None,
    every: Annotated[int | None, typer.Option(min=1, help="take each n-th frame")] = None,
    rate: Annotated[str | None, typer.Option(help='of a folder: pictures a second, 24 or "24000/1001"')] = None,
    pictures: Annotated[str | None, typer.Option(help="of a folder: the names of one sequence, shot.#.png")] = None,
) -> None:
    """A piece of footage of one identity."""
    more = {"rate": rate, "pictures": pictures, "start": start, "end": end, "every": every}
    entry = {"identity": identity, "path": _within(path)} | {key: value for key, value in more.items() if value}
    _add("clips", name, entry, [f"dvc add {entry['path']}    # to version the footage", f"likeness run --clip {name}"])


@app.command()
def pair(
    name: NewName,
    a: Annotated[str, typer.Option("--a", help="an identity", autocompletion=names_in("identities"))],
    b: Annotated[str, typer.Option("--b", help="another one", autocompletion=names_in("identities"))],
) -> None:
    """Two identities that share one swap model."""
    _add("pairs", name, {"a": a, "b": b}, [f"likeness add swap {a}-on-{b} --pair {name} --clip CLIP-OF-{b.upper()}"])


@app.command()
def swap(
    name: NewName,
    pair: Annotated[str, typer.Option(help="a pair of params.yaml", autocompletion=names_in("pairs"))],
    clip: Annotated[str, typer.Option(help="whose performance is kept", autocompletion=names_in("clips"))],
    truth: Annotated[
        str, typer.Option(help="of params.yaml, where the right answer was rendered", autocompletion=names_in("truths"))
    ] = NO_TRUTH,
) -> None:
    """One direction of a pair on one clip: the clip's person is the target, the other one of the pair the source."""
    try:
        with chdir(find_root()):
            params = load_params(FILE)
            both, target = params.pair(pair), params.clip(clip).identity
            if target not in (both.a, both.b):
                fitting = [key for key, each in params.clips.items() if each.identity in (both.a, both.b)]
                raise Problem(
                    f"the clip '{clip}' shows '{target}', who is not of the pair '{pair}'",
                    where="--clip",
                    mend=nearest(clip, fitting),
                )
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    source = both.a if target == both.b else both.b
    entry = {"pair": pair, "source": source, "target": target, "clip": clip, "truth": truth}
    _add("swaps", name, entry, [f"likeness run --swap {name}"])


def _add(section: str, name: str, entry: dict[str, Any], then: Sequence[str]) -> None:
    try:
        with chdir(find_root()):
            lacking = _lacking(section, name, add_entry(FILE, section, name, entry))
    except Problem as problem:
        raise typer.Exit(tell(problem)) from None
    typer.echo(f"{FILE}: {section}.{name} is in.")
    _tell_next(lacking, then)


def _lacking(section: str, name: str, params: Params) -> list[Problem]:
    """Why a stage would refuse the item today."""
    looks: dict[str, list[Callable[[], object]]] = {
        "identities": [lambda: require_record(name), lambda: _require_face(name, params)],
        "clips": [
            lambda: require_footage(name, params),
            lambda: require_clip_consent(name, params, "add", noted="nothing"),
        ],
        "pairs": [lambda: require_pair_consent(name, params, noted="nothing")],
        "swaps": [
            lambda: require_swap_consent(name, params, "add", noted="nothing"),
            lambda: require_coding(name, params),
            lambda: require_right_answer(name, params),
        ],
    }
    found = []
    for look in looks[section]:
        try:
            look()
        except Problem as problem:
            found.append(problem)
    return found


def _require_face(identity: str, params: Params) -> None:
    """The enrolled face; without a record yet, the pictures that it has to commit to."""
    if consent_path(identity).is_file():
        require_enrolment(identity, params)
    elif identity not in params.performers:
        require_pictures(identity, params)


def _tell_next(lacking: Sequence[Problem], then: Sequence[str]) -> None:
    if lacking:
        typer.echo("\nBefore it can be used:")
        for problem in lacking:
            typer.echo(f"  {problem.where}: {problem.what}\n    {problem.mend}")
    typer.echo("\nThen:" if lacking else "\nNext:")
    for line in then:
        typer.echo(f"  {line}")


def _within(path: Path) -> str:
    """The path from the project's folder, as params.yaml wants it; one outside of it as it is on this machine."""
    whole = Path(os.path.normpath(Path.cwd() / path))
    try:
        root = find_root()
    except Problem:
        return str(path)
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(whole)


if __name__ == "__main__":
    app(prog_name="python -m flows.command.add")
