"""Puts an entry into params.yaml; every other byte of the file, comments included, stays as it is.

A round trip through ruamel.yaml would keep the comments, too, but wraps and spaces anew what it writes. So the file is
parsed only for where its sections end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml
from filelock import FileLock
from ruamel.yaml.resolver import implicit_resolvers
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from stages.atomic import whole_file
from stages.problems import Problem, told_as_problem
from stages.settings import Params, parse

LOCK: Final = Path(".scratch/params.lock")
"""In a folder that git does not look at."""

INDENT: Final = 2
WIDEST: Final = 1 << 16
"""An entry is one line, however long."""


def add_entry(file: Path, section: str, name: str, entry: dict[str, Any]) -> Params:
    """Add an item to a section and write the file, if the whole of it is valid then.

    Whoever else adds at the same time waits, so that nobody writes over what another has added.

    Args:
        file: params.yaml.
        section: ``identities``, ``clips``, ``pairs`` or ``swaps``.
        name: the item's.
        entry: its fields, plain data.

    Returns:
        The new settings.

    Raises:
        Problem: the name is taken, or the settings with the new item would be refused. The file is then as it was.
    """
    lock = file.parent / LOCK
    with told_as_problem(lock):
        lock.parent.mkdir(exist_ok=True)
        with FileLock(lock):
            return _added(file, section, name, entry)


def _added(file: Path, section: str, name: str, entry: dict[str, Any]) -> Params:
    try:
        text = file.read_bytes().decode("utf-8")
        before = _data(text)
    except FileNotFoundError:
        raise Problem("the settings are not there", where=file, mend="run from the project's folder") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise Problem(f"it is no YAML: {error}", where=file, mend="mend the line it names") from error
    parse(Params, before, where=str(file))  # a fault that was there before is not the new item's
    items = before[section] or {}
    if name in items:
        raise Problem(f"there is a '{name}' already", where=f"{file}, {section}", mend="choose another name")
    wanted = before | {section: items | {name: entry}}
    params = parse(Params, wanted, where=str(file))
    after = with_entry(text, section, name, entry)
    if _data(after) != wanted:
        raise Problem(
            "its form is one that can not be added to without touching the rest",
            where=f"{file}, {section}",
            mend=f"add this line by hand: {_line(name, entry)}",
        )
    with whole_file(file) as scratch:
        scratch.write_bytes(after.encode("utf-8"))
    return params


def with_entry(text: str, section: str, name: str, entry: dict[str, Any]) -> str:
    """The file's text with an item more at the end of a section that it has."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, MappingNode)
    value = next(value for key, value in root.value if key.value == section)
    line = _line(name, entry)
    if isinstance(value, MappingNode) and value.flow_style and value.value:
        last = value.value[-1][1].end_mark.index
        return f"{text[:last]}, {line}{text[last:]}"
    newline = "\r\n" if "\r\n" in text else "\n"
    if isinstance(value, MappingNode) and not value.flow_style:
        at, indent = _end(value), value.start_mark.column
    else:
        # empty: {} or nothing at all, which gives way to a block
        start, end = value.start_mark.index, value.end_mark.index
        text = text[:start].rstrip(" ") + text[end:] if end > start else text
        at, indent = text.rindex(":", 0, start + 1) + 1, INDENT
    at = text.find(newline, at)
    if at < 0:
        at = len(text)
    return f"{text[:at]}{newline}{' ' * indent}{line}{text[at:]}"


def _end(node: Node) -> int:
    """Where the last thing in a node ends. (The mark at a block's end is where the next thing begins.)"""
    while isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, MappingNode) else last
    end: int = node.end_mark.index
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        end -= 1
    return end


def _line(name: str, entry: dict[str, Any]) -> str:
    """``name: {field: value}`` as one line of YAML."""
    said = yaml.dump(
        {name: entry}, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=WIDEST
    )
    return str(said).strip()[1:-1]


class _Dumper(yaml.SafeDumper):
    """Quotes what either reader of the file takes for a number: PyYAML, of YAML 1.1, 0:01:12.5; DVC, of 1.2, 08."""


for _versions, _tag, _form, _begins in implicit_resolvers:
    if (1, 2) in _versions:
        _Dumper.add_implicit_resolver(_tag, _form, _begins)


def _data(text: str) -> dict[str, Any]:
    data = yaml.safe_load(text)
    return data if isinstance(data, dict) else {}
