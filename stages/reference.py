"""``python -m stages.reference``: every key of params.yaml with its type, bounds, default and meaning, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from annotated_types import MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stages.rendering.scene import PerformanceSettings
from stages.settings import Params, model_in

_HEAD = """# Settings

Every key of `params.yaml`. `<name>` stands for a name of your own. This page is printed by
`python -m stages.reference`.
"""


def reference() -> str:
    """The whole page."""
    parts = [_HEAD]
    for name, field in Params.model_fields.items():
        model = PerformanceSettings if name == "performances" else model_in(field.annotation)
        prefix = f"{name}.<name>" if "dict" in str(field.annotation) else name
        parts.append(f"## {name}\n")
        if name == "performers":
            parts.append("A seed, and any field of an identity that replaces the seed's; see `performers.md`.\n")
        elif model is not None:
            parts.append(_table(list(_rows(model, prefix))))
    return "\n".join(parts)


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    head = "| key | type | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(f"| `{key}` | {kind} | {default} | {about} |\n" for key, kind, default, about in rows)


def _rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        key = f"{prefix}.{name}"
        if inner is not None:
            if "Literal" in str(field.annotation):  # a word, or keys of its own
                yield key, _kind(field), _default(field), field.description or ""
            several = {"dict": ".<name>", "tuple": "[]"}
            yield from _rows(
                inner, key + next((end for kind, end in several.items() if kind in str(field.annotation)), "")
            )
            continue
        yield key, _kind(field), _default(field), (field.description or "").replace("|", "\\|")


def _kind(field: FieldInfo) -> str:
    """The type in words that a reader of YAML knows, with the bounds."""
    text = re.sub(r"typing\.|pathlib\.|<class '|'>", "", str(field.annotation))
    text = re.sub(r"Annotated\[([^,\]]+),[^\]]*\](\)\])?", r"\1", text)
    text = re.sub(r"stages\.[\w.]+", "the keys below", text)
    text = re.sub(r"fractions\.Fraction", "exact number", text)
    text = re.sub(r"Optional\[(.+)\]", r"\1 | None", text)
    text = re.sub(r"Union\[(.+), (Literal\[.*\])\]", r"\1 | \2", text)
    words = {"Literal": "one of ", "float": "number", "int": "whole number", "str": "text", "bool": "true or false"}
    for word, plain in {**words, "Path": "path", "NoneType": "nothing", "None": "nothing", " | ": " or "}.items():
        text = (
            re.sub(rf"(?<![\w'-]){re.escape(word)}(?![\w'-])", plain, text)
            if word != " | "
            else text.replace(word, plain)
        )
    text = re.sub(r"tuple\[(.*), \.\.\.\]", r"list of \1", text)
    text = re.sub(r"tuple\[(.*)\]", r"\1", text)
    bounds = [
        f"{sign} {getattr(limit, attribute)}"
        for limit in field.metadata
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if getattr(limit, attribute, None) is not None
    ]
    bounds += [f"a multiple of {limit.multiple_of}" for limit in field.metadata if isinstance(limit, MultipleOf)]
    return ", ".join([text.replace("|", "\\|"), *bounds])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value: Any = field.get_default(call_default_factory=True)
    return f"`{value}`" if value not in (None, (), "") else "none"


if __name__ == "__main__":
    print(reference(), end="")
