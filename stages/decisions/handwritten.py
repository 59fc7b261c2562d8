"""Reads the files that people write."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stages.artifacts.decisions import HAND, Decisions
from stages.problems import Problem, nearest
from stages.settings import parse

README: Final = "README.md"


def read_handwritten(clip: str, folder: Path = HAND) -> Decisions:
    """The decisions about a clip; none if there is no file.

    Read by ruamel.yaml, not PyYAML: of a key that stands twice, PyYAML takes the last and says nothing of the first.

    Raises:
        Problem: the file is no YAML, has an unknown key or a wrong value; it names the field and the mend.
    """
    path = folder / f"{clip}.yaml"
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Decisions()
    except (UnicodeDecodeError, YAMLError) as error:
        raise Problem(
            f"it is no YAML: {_plainly(error)}", where=path, mend="mend that line; docs/decisions.md"
        ) from error
    return Decisions() if raw is None else parse(Decisions, raw, where=str(path), described="docs/decisions.md")


def require_known_names(clips: Collection[str], folder: Path = HAND) -> None:
    """Make sure that every file is about a clip: one of another name would be ignored.

    Raises:
        Problem: as said; it names the nearest clip.
    """
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.name == README or (path.suffix == ".yaml" and path.stem in clips):
            continue
        if path.stem in clips:
            mend = f"name it {path.stem}.yaml"
        else:
            mend = f"name it as its clip, or remove it; {nearest(path.stem, list(clips))}"
        raise Problem("there is no clip that it is about", where=path, mend=mend)


def _plainly(error: Exception) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem or error.context}, line {error.problem_mark.line + 1}"
    return str(error)
