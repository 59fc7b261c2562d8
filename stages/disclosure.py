"""The words that mark what is handed over."""

from typing import Final

DISCLOSURE: Final = "AI-modified: face replaced (Likeness)"
"""The comment that every deliverable carries, for people and machines: it is not unaltered footage."""
