"""Keys of artifacts: Prefect takes small letters, digits and dashes only."""

from __future__ import annotations

import re


def key_of(*parts: str) -> str:
    """A key made of these: ``progress``, ``training@ada-ben`` gives ``progress-training-ada-ben``."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")
