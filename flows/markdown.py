"""Text in Markdown: names come from whoever fills the inbox, or from files that stages wrote."""

from __future__ import annotations

import html
import re


def plainly(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return re.sub(r"([\\`*_\[\]!|~])", r"\\\1", html.escape(" ".join(text.split()), quote=False))
