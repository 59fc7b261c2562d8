"""Embeddings of people who are neither source nor target, to see whether the source is found among them.

They are rendered performers, so nobody's; `python -m stages.bench.strangers` makes the table again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from stages.artifacts.files import sha256_of
from stages.packs import Pack
from stages.problems import Problem

TABLE: Final = Path("data/strangers/open.safetensors")
"""``embeddings`` (n, d) float32 of length 1; its metadata names the recogniser's SHA-256 and the performers' seeds."""


def strangers_for(pack: Pack, table: Path = TABLE) -> NDArray[np.float32]:
    """The strangers as a pack's recogniser sees them, (n, d); none, (0, 1), for a recogniser that has not seen them.

    Raises:
        Problem: the table is missing or damaged.
    """
    try:
        with safe_open(table, framework="numpy") as stored:
            seen_by = (stored.metadata() or {}).get("recogniser")
            embeddings = np.asarray(stored.get_tensor("embeddings"), np.float32)
    except (OSError, SafetensorError) as error:
        raise Problem(
            f"the strangers can not be read: {error}", where=table, mend="`git checkout data/strangers`"
        ) from error
    if "recognition" not in pack.files or sha256_of(pack.files["recognition"]) != seen_by:
        return np.zeros((0, 1), np.float32)
    return embeddings
