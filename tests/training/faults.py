"""What may go wrong with a training process, to be called in it before it trains."""

from __future__ import annotations

import os
import signal

from stages.training.checkpoint import CheckpointFolder
from stages.training.state import Snapshot


class DieAfter:
    """SIGKILL as soon as a checkpoint of this iteration or a later one is whole; training is beyond it by then."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def __call__(self) -> None:
        whole = CheckpointFolder.write

        def dying(folder: CheckpointFolder, snapshot: Snapshot) -> None:
            whole(folder, snapshot)
            if snapshot.facts["iteration"] >= self.iteration:
                os.kill(os.getpid(), signal.SIGKILL)

        CheckpointFolder.write = dying  # type: ignore[method-assign]
