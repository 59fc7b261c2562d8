"""The words that mark what is handed over."""

from collections.abc import Mapping
from typing import Final

DISCLOSURE: Final = "AI-modified: face replaced (Likeness)"
"""The comment that every deliverable carries, for people and machines: it is not unaltered footage."""

LAYERS: Final = "layers.json"
"""By this file a folder is known for a layered delivery."""


def in_words(fields: Mapping[str, str]) -> str:
    """The text of ``disclosure.txt`` for folders, which hold no metadata: the words, then a line a field.

    Args:
        fields: what a container's metadata would say, by their names.
    """
    return "".join(f"{line}\n" for line in (DISCLOSURE, *(f"{name}: {value}" for name, value in fields.items())))
