"""Records and keys as YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stages.atomic import whole_file
from stages.problems import Problem


def read_yaml(path: Path) -> Any:
    """Plain data, not to be changed.

    A key that stands twice is refused: a person could read the one, the machine take the other.

    Raises:
        FileNotFoundError: there is no such file.
        Problem: it is no YAML, or can not be read.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (UnicodeDecodeError, YAMLError, ValueError) as error:
        raise Problem(
            f"it is no YAML: {_plainly(error)}", where=path, mend="mend that line, or take the file from git again"
        ) from error
    except OSError as error:
        raise Problem(f"it can not be read ({error.strerror})", where=path, mend="check its permissions") from error


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    """A check reads all records, and a training checks again and again; what has not changed is parsed once."""
    return YAML(typ="safe", pure=True).load(text)


def write_yaml(path: Path, content: Mapping[str, Any], head: str = "") -> None:
    """Write plain data, keys in their order, the file whole or not at all.

    Raises:
        Problem: the disk is full or the file may not be written.
    """
    yaml = YAML(pure=True)
    yaml.default_flow_style = False
    yaml.width = 200  # a signature stays on its line
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    yaml.dump(dict(content), text)
    with whole_file(path) as scratch:
        scratch.write_text(head + text.getvalue(), encoding="utf-8")


def _plainly(error: Exception) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem or error.context}, line {error.problem_mark.line + 1}"
    return str(error)
