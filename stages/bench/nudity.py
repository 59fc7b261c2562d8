"""``python -m stages.bench.nudity FILE...``: what the content gate says of videos, and how long it takes.

For choosing ``screening.threshold`` for footage of one's own; the figures of docs/trust.md are printed by it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from stages.bench.program import main
from stages.nudity import Nudity
from stages.turning import each_upright
from stages.video import decode


def command(
    files: Annotated[list[Path], typer.Argument(help="videos")],
    every: Annotated[int, typer.Option(min=1, help="look at every n-th frame")] = 12,
    threads: Annotated[int, typer.Option(min=1, help="of the network")] = 2,
) -> None:
    """Print for each video how many frames were looked at, the median and highest score, and the CPU time for one."""
    nudity = Nudity("cpu", threads)
    typer.echo("looked at  median  highest  ms each  file")
    for file in files:
        frames = (frame for frame in each_upright(decode(file), file) if frame.number % every == 0)
        pictures = (frame.rgb() for frame in frames)
        scores, spent = [], 0.0
        for picture in pictures:
            start = time.process_time()
            scores.append(nudity.score(picture))
            spent += time.process_time() - start
        each = 1000 * spent / len(scores)
        typer.echo(f"{len(scores):9d}  {np.median(scores):6.3f}  {max(scores):7.3f}  {each:7.0f}  {file}")


if __name__ == "__main__":
    main("nudity", command)
