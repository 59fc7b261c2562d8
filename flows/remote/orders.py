"""What is asked of a worker, and what it gives back: small, for all artifacts go through the DVC remote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

FLOW: Final = "make-stage"
DEPLOYMENT: Final = "worker"
POOL: Final = "likeness-stages"
"""The work pool of those who make single stages: ``prefect worker start --type process --pool likeness-stages``."""

REPLY: Final = "likeness-stage"
"""The type of the Prefect artifact in which a worker gives its :class:`Reply` back."""

INTEREST: Final = "likeness-interest"
"""The type of the Prefect artifact by which a run notes, at a worker's run, that it waits for it."""


@dataclass(frozen=True)
class Order:
    """A stage to make.

    Attributes:
        address: the stage.
        remote: the name of the DVC remote, in ``.dvc/config`` of every clone.
        revision: the git commit, in full, whose code and settings it is made by.
        entries: what dvc.lock has of it and of the stages that it reads, by address; not all of them need be there.
        upstream: the stages whose results it reads.
        seconds: it may take so long, None for ever.
    """

    address: str
    remote: str
    revision: str
    entries: dict[str, dict[str, Any]]
    upstream: list[str]
    seconds: float | None = None

    def key(self, number: int) -> str:
        """What Prefect knows a run for this order by: asked twice, the same run answers.

        So a run that was started for a flow that was killed meanwhile is found again, at work or finished.

        Args:
            number: counts from 0 the runs that ended without a result.
        """
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.address}-{hashlib.sha256(text.encode()).hexdigest()}-{number}"


@dataclass(frozen=True)
class Reply:
    """What came of it.

    Attributes:
        outcome: as :class:`flows.stage.Done` has it; None if it failed.
        seconds: how long the stage took.
        entry: the stage's part of dvc.lock; empty if it failed.
        files: what DVC does not keep of the results, metrics first of all: path -> text.
        reason: why it failed.
        may_pass: whether trying again can help.
    """

    outcome: str | None = None
    seconds: float = 0.0
    entry: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    may_pass: bool = False

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Reply:
        """From :meth:`text`."""
        return cls(**json.loads(text))
