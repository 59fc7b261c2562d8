"""Reads finished frames and the clip's sound; writes the deliverable (see docs/architecture.md, "deliverable")."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from stages.artifacts.converted import Converted
from stages.artifacts.deliverable import Deliverable
from stages.artifacts.files import sha256_of
from stages.artifacts.frames import Frames
from stages.artifacts.looked_at import LookedAt
from stages.atomic import whole_folder
from stages.audit import log as audit
from stages.consent import require_swap_consent
from stages.credentials.provenance import Provenance
from stages.credentials.swap import provenance_of
from stages.disclosure import DISCLOSURE
from stages.encoding.checking import check_file, check_pictures, left_out, steady_rate
from stages.encoding.codecs import CODECS, LOSSLESS
from stages.encoding.coding import coding_for
from stages.encoding.command import Surroundings
from stages.encoding.container import container_for, write_video
from stages.encoding.hardware import chosen
from stages.encoding.label import Labeller, labelled
from stages.encoding.marking import Marking
from stages.encoding.settings import EncodingSettings
from stages.light import Light
from stages.nudity import Gate
from stages.pictures import sha256_of_pictures
from stages.problems import Problem
from stages.progress import progress
from stages.screening.settings import ScreeningSettings
from stages.settings import Params
from stages.turning import turned
from stages.video import NativeFrame, VideoFacts, ratio

log = logging.getLogger(__name__)


def place(swap: str) -> Path:
    """Where the deliverable of a swap lies."""
    return Path("data/encoding") / swap


def run(name: str, params: Params) -> None:
    """Encode the finished frames of a swap, with the clip's own times, sound and colour facts.

    Raises:
        Problem: no consent; an artifact is missing or damaged; the pair's model is not the one that made the swap;
            ffmpeg can not write the file.
    """
    swap = params.swap(name)
    records = require_swap_consent(name, params, "encoding")
    consents = {role: record.id for role, record in records.items()}
    finished = Frames.read(Path("data/compositing") / name)
    clip = Frames.read(Path("data/extraction") / swap.clip)
    converted = Converted.read(Path("data/conversion") / name)
    provenance = provenance_of(name, params, records, clip, finished, converted)
    about = {
        "swap": name,
        "source": swap.source,
        "target": swap.target,
        "clip": swap.clip,
        "consent": consents,
        "model": {"pair": swap.pair, "sha256": provenance.origin.model_sha256},
        "audio": (clip.facts.model_extra or {}).get("audio", []),
    }
    with whole_folder(place(name)) as folder:
        made = encode(
            finished,
            clip.audio,
            folder,
            params.encoding,
            about,
            what=f"encoding {name}",
            provenance=provenance,
            screening=params.screening,
            came_in=LookedAt.of_clip(swap.clip),
        )
        # before the folder takes its place: what can not be entered and logged is not delivered
        provenance.register()
        audit.append("delivery", swap=name, consent=consents, sha256=made.facts["sha256"])


def encode(
    finished: Frames,
    audio: Path | None,
    folder: Path,
    settings: EncodingSettings,
    about: dict[str, Any],
    *,
    what: str = "encoding",
    provenance: Provenance | None = None,
    screening: ScreeningSettings | None = None,
    came_in: LookedAt | None = None,
) -> Deliverable:
    """The deliverable into an existing folder.

    Args:
        finished: frames, all of them.
        audio: the clip's sound, None if it has none.
        folder: that becomes the artifact.
        settings: of the stage.
        about: facts to be kept with the deliverable: who, from whose consent, by which model.
        what: the work in a few words, for the bar.
        provenance: what the deliverable says of its making, signed; None says nothing but the disclosure.
        screening: of the content gate; None does not look.
        came_in: what the gate looked at of the clip; None if that is not known.

    Raises:
        Problem: there are no frames, one of them shows nudity, the label does not fit, the codec or container can not
            hold something of the clip, ffmpeg can not write the file, what it wrote is not what it was given, its mark
            can not be read back, or it can not be signed and read back.
    """
    if len(finished) == 0:
        raise Problem("there are no frames to encode", where=finished.folder, mend="remove it and run `dvc repro`")
    index, facts = finished.index, finished.facts
    beside = _beside(facts, audio, settings, provenance.tags if provenance else {})
    coding = coding_for(turned(facts, 360 - beside.turn, finished.folder) if beside.turn else facts, settings)
    hardware = chosen(settings, coding.pixel_format, lit=bool(beside.light))
    container = container_for(settings, facts, index["pts"])
    rate = steady_rate(finished) if container == "pictures" else Fraction(facts.rate)
    last = int(index["pts"].iloc[-1]), int(index["duration"].iloc[-1])
    gate = Gate.of(finished, screening, came_in) if screening else None
    labeller = Labeller(label, facts) if (label := settings.label.wanted) else None
    of = provenance.origin.root if provenance else about.get("swap", "")
    marking = Marking(of, finished, settings) if settings.watermark else None
    pictures = _on_their_way(gate(finished) if gate else finished, labeller, marking)
    shown = progress(pictures, total=len(finished), what=what)
    video = write_video(folder, container, shown, facts, coding, beside, last, settings, hardware)
    number, sound = marking.facts["identifier"] if marking else None, sorted(folder.glob("sound.*"))
    signed = provenance.sign(video, number, sound) if provenance else {}
    if coding.converted:
        log.warning("%s: %s", what, coding.converted)
    if container == "pictures":
        written = check_pictures(video, rate, finished, coding)
    else:
        written = check_file(video, container, settings.codec, finished, coding, beside)
    more: dict[str, Any] = {"converted": coding.converted} if coding.converted else {}
    if lost := left_out(settings.codec, written, facts, beside):
        log.warning("%s: %s can not say these of the clip, and leaves them out: %s", what, settings.codec, lost)
        more["left_out"] = lost
    if container == "pictures":
        first = int(index["pts"].iloc[0]) * Fraction(facts.time_base)
        more |= {"rate": ratio(rate), "first_picture_at": str(first)}
    if hardware:
        more["encoder"] = hardware.encoder
    if marking:
        more["watermark"] = marking.facts
    if beside.turn:
        more["turned"] = beside.turn
    if gate:
        more["screening"] = gate.facts()
    if labeller:
        more["label"] = labeller.label.model_dump(mode="json", exclude_none=True)
    Deliverable.write_facts(
        folder,
        {
            **about,
            **signed,
            "sha256": sha256_of(video) if video.is_file() else sha256_of_pictures(sorted(video.iterdir())),
            "codec": settings.codec,
            "frames": len(finished),
            "changed": int(index["changed"].sum()),
            "width": written.width,
            "height": written.height,
            "pixel_format": written.pixel_format,
            "colour": written.model_dump(include={"primaries", "transfer", "matrix", "range"}),
            "seconds": float((last[0] + last[1] - int(index["pts"].iloc[0])) * Fraction(facts.time_base)),
            "disclosure": DISCLOSURE,
            **more,
        },
    )
    made = Deliverable.read(folder)
    if settings.codec in LOSSLESS and not coding.converted:
        _check_samples(made, _on_their_way(finished, labeller, marking))
    if marking:
        marking.check(made)
    return made


def _on_their_way(
    frames: Iterable[NativeFrame], labeller: Labeller | None, marking: Marking | None
) -> Iterator[NativeFrame]:
    """The frames as the encoder gets them: the mark lies over the label, too."""
    frames = labelled(frames, labeller) if labeller else iter(frames)
    return marking.marked(frames) if marking else iter(frames)


def _check_samples(made: Deliverable, given: Iterator[NativeFrame]) -> None:
    """The first picture of a lossless codec, sample for sample: a format that is misread spoils all alike."""
    first = next(given)
    if not np.array_equal(next(made.frames()).lit_as(first.facts).rgb(), first.rgb()):
        raise Problem(
            "its first picture is not the frame that it was given",
            where=made.video,
            mend="put a newer ffmpeg first in PATH, or remove the system's, or choose another encoding.codec",
        )


def _beside(facts: VideoFacts, audio: Path | None, settings: EncodingSettings, tags: Mapping[str, str]) -> Surroundings:
    """What the clip had beside its pictures, from its facts, and what is said of the file's making."""
    said = facts.model_extra or {}
    return Surroundings(
        audio=audio,
        tracks=tuple(said.get("audio", ())),
        chapters=tuple(said.get("chapters", ())),
        turn=facts.rotation if settings.rotation == "clip" and CODECS[settings.codec].containers else 0,
        timecode=said.get("timecode"),
        language=said.get("language"),
        light=Light.from_facts(said),
        tags=tags,
    )
