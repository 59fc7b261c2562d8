"""Reads finished frames and the clip's sound; writes the deliverable (see docs/architecture.md, "deliverable")."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.files import sha256_of
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.atomic import whole_folder
from stages.consent import require_consent
from stages.encoding.container import facts_in, times_in, write_video
from stages.encoding.h264 import DISCLOSURE
from stages.encoding.settings import EncodingSettings
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params


def place(swap: str) -> Path:
    """Where the deliverable of a swap lies."""
    return Path("data/encoding") / swap


def run(name: str, params: Params) -> None:
    """Encode the finished frames of a swap, with the clip's own times, sound and colour facts.

    Raises:
        Problem: no consent; an artifact is missing or damaged; ffmpeg can not write the file.
    """
    swap = params.swap(name)
    consents = {
        "source": require_consent(swap.source, "source").id,
        "target": require_consent(swap.target, "target").id,
    }
    finished = Frames.read(Path("data/compositing") / name)
    clip = Frames.read(Path("data/extraction") / swap.clip)
    model = SwapModel.read(Path("data/training") / swap.pair)
    about = {
        "swap": name,
        "source": swap.source,
        "target": swap.target,
        "clip": swap.clip,
        "consent": consents,
        "model": {"pair": swap.pair, "sha256": sha256_of(model.folder / "model.json")},
        "audio": (clip.facts.model_extra or {}).get("audio", []),
    }
    with whole_folder(place(name)) as folder:
        encode(finished, clip.audio, folder, params.encoding, about, what=f"encoding {name}")


def encode(
    finished: Frames,
    audio: Path | None,
    folder: Path,
    settings: EncodingSettings,
    about: dict[str, Any],
    *,
    what: str = "encoding",
) -> Deliverable:
    """The deliverable into an existing folder.

    Args:
        finished: frames, all of them.
        audio: the clip's sound, None if it has none.
        folder: that becomes the artifact.
        settings: of the stage.
        about: facts to be kept with the deliverable: who, from whose consent, by which model.
        what: the work in a few words, for the bar.

    Raises:
        Problem: there are no frames, ffmpeg can not write the file, or what it wrote has other times.
    """
    if len(finished) == 0:
        raise Problem("there are no frames to encode", where=finished.folder, mend="remove it and run `dvc repro`")
    video = folder / "deliverable.mp4"
    index, facts = finished.index, finished.facts
    last = int(index["pts"].iloc[-1]), int(index["duration"].iloc[-1])
    write_video(video, progress(finished, total=len(finished), what=what), facts, audio, last, settings)
    _check_times(video, finished)
    written = facts_in(video)
    Deliverable.write_facts(
        folder,
        {
            **about,
            "sha256": sha256_of(video),
            "codec": "h264",
            "frames": len(finished),
            "changed": int(index["changed"].sum()),
            "width": written.width,
            "height": written.height,
            "pixel_format": written.pixel_format,
            "colour": written.model_dump(include={"primaries", "transfer", "matrix", "range"}),
            "seconds": float((last[0] + last[1] - int(index["pts"].iloc[0])) * Fraction(facts.time_base)),
            "disclosure": DISCLOSURE,
        },
    )
    return Deliverable.read(folder)


def _check_times(video: Path, finished: Frames) -> None:
    """Every picture must be shown when the clip showed it; nothing else would tell if ffmpeg dropped or moved one."""
    wanted = [int(pts) * Fraction(finished.facts.time_base) for pts in finished.index["pts"]]
    found = times_in(video)
    if found != wanted:
        wrong = next((i for i, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), len(found))
        raise Problem(
            f"it has {len(found)} pictures for {len(wanted)} frames, the first wrong time at frame {wrong}",
            where=video,
            mend="the system's ffmpeg may be too old: put version 5.1 or later first in PATH, or remove it",
        )
