"""``python -m stages.bench.trust``: what all that trust asks for costs the stage ``encoding``, by part.

The finished frames of a swap are encoded as they are, and again enlarged to 1920 x 1080, each time with one part more:
the content gate, the mark with its reading back, the credential with its reading back, and the checks of both consent
records. Times are processor time of this process and of ffmpeg, which hardly grows when other programs keep the machine
busy; but a processor is quicker at one time than at another, so each part is the median of what it adds within a round
through all ways. What the stage screening looked at when the clip came in, the gate is told, as in the stage. Enlarged
frames are smooth, so an encoder is quicker with them than with a camera's, and the shares are rather too large than too
small.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.bench.credentials import spent
from stages.bench.films import RATE, fitted
from stages.bench.program import main
from stages.bench.reel import facts_of, reel
from stages.consent import require_swap_consent
from stages.credentials.origin import Origin
from stages.credentials.provenance import Provenance
from stages.credentials.settings import CredentialSettings
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import encode
from stages.screening.settings import ScreeningSettings
from stages.screening.stage import looked_at
from stages.settings import Params, load_params

LARGE: Final = (1920, 1080)
ROUNDS: Final = 5
"""What the smaller parts add is about what runs differ by; all together stand out of it."""


@dataclass
class Cost:
    """Seconds of processor time of encoding one swap.

    Attributes:
        size: width and height of its frames, pixels.
        frames: how many.
        bare: of encoding alone.
        added: by all that trust asks for.
        parts: what each part adds, by its name in tables.
    """

    size: tuple[int, int]
    frames: int
    bare: float
    added: float
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of all parts together in the stage's time."""
        return self.added / (self.bare + self.added)


def cost(finished: Frames, clip: Frames, swap: str, params: Params) -> Cost:
    """What each part adds to encoding.

    Args:
        finished: frames of a swap.
        clip: of these, what the stage screening looked at when they came in.
        swap: its name.
        params: of which the settings of encoding and of the content gate count.

    Raises:
        Problem: they can not be encoded, signed or read back; no consent.
    """
    gate = ScreeningSettings.model_validate(params.screening.model_dump() | {"nudity": "refuse"})
    origin = Origin("clip", "0" * 64, "0" * 64, "0" * 64, "0" * 64, {})
    provenance = Provenance.of(origin, CredentialSettings())
    came_in = looked_at(clip, gate, swap)
    marked = params.encoding.model_copy(update={"watermark": True})
    unmarked = params.encoding.model_copy(update={"watermark": False})
    with tempfile.TemporaryDirectory() as made:

        def encoded(
            settings: EncodingSettings, gate: ScreeningSettings | None, provenance: Provenance | None = None
        ) -> float:
            with tempfile.TemporaryDirectory(dir=made) as name:
                work = partial(encode, finished, None, Path(name), settings, {"swap": swap})
                return spent(work, screening=gate, came_in=came_in, provenance=provenance)[0]

        encoded(unmarked, gate)  # what is only done once in a process, is done
        ways = ((unmarked, None, None), (unmarked, gate, None), (marked, gate, None), (marked, gate, provenance))
        rounds = np.array([[encoded(*way) for way in ways] for _ in range(ROUNDS)])
    bare = float(np.median(rounds[:, 0]))
    added = float(np.median(rounds[:, -1] - rounds[:, 0]))
    gated, mark, signed = np.median(np.diff(rounds, axis=1), axis=0).tolist()
    consent, _ = spent(require_swap_consent, swap, params, "encoding")
    facts = finished.facts
    parts = {"gate": gated, "mark": mark, "credential": signed, "consent": consent}
    return Cost((facts.width, facts.height), len(finished), bare, added + consent, parts)


def enlarged(finished: Frames, count: int, folder: Path) -> Frames:
    """The first frames, cropped to 16:9 and enlarged, in an existing empty folder."""

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for frame in islice(finished, count):
            yield fitted(frame.rgb(), *LARGE)

    return reel(folder, pictures(), facts_of(*LARGE, RATE))


def table_of(costs: list[Cost]) -> str:
    """Markdown, a row a size; milliseconds a frame, the consent's of the whole stage."""
    names = list(costs[0].parts)
    lines = [f"| frames | encoding alone | {' | '.join(names)} | together, of the stage |", "|---|" + "---:|" * 6]
    for each in costs:
        cells = [each.bare / each.frames, *(each.parts[name] / each.frames for name in names)]
        figures = " | ".join(f"{1e3 * cell:.2f} ms" for cell in cells)
        lines.append(f"| {each.frames} of {each.size[0]} x {each.size[1]} | {figures} | {each.share:.1%} |")
    return "\n".join(lines)


def command(
    swap: Annotated[str, typer.Option(help="a swap whose finished frames lie here")] = "ada-on-ben",
    frames: Annotated[int, typer.Option(min=2, help="how many are enlarged")] = 150,
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print what content gate, mark, credential and consent cost a frame, beside encoding it."""
    logging.disable(logging.WARNING)
    settings = load_params(params)
    finished = Frames.read(Path("data/compositing") / swap)
    clip = Frames.read(Path("data/extraction") / settings.swap(swap).clip)
    costs = [cost(finished, clip, swap, settings)]
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / each for each in ("finished", "clip")]
        for folder in folders:
            folder.mkdir()
        large, came_in = (enlarged(each, frames, place) for each, place in zip((finished, clip), folders, strict=True))
        costs.append(cost(large, came_in, swap, settings))
    print(table_of(costs))


if __name__ == "__main__":
    main("trust", command)
