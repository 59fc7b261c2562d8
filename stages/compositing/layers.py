"""A layered delivery: what compositing did to each frame, as pictures that any compositing program lays over the clip.

It is read by people and their programs, not by a stage. What is in it, is told in docs/layers.md, and by the README
that goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from stages import geometry
from stages.artifacts.files import sha256_of, write_facts
from stages.artifacts.frames import Frames
from stages.artifacts.looked_at import LookedAt
from stages.atomic import whole_file, whole_folder
from stages.audit import log as audit
from stages.channels import PACKED, channels
from stages.compositing.exr import write_exr
from stages.compositing.faces import transform_of
from stages.compositing.inputs import Inputs
from stages.compositing.matching import matches
from stages.compositing.separating import OPAQUE, place_and_separate
from stages.compositing.settings import CompositingSettings
from stages.compositing.spans import spans_of_frames
from stages.consent import require_swap_consent
from stages.credentials.provenance import LIST, write_list
from stages.credentials.swap import provenance_of
from stages.disclosure import DISCLOSURE, LAYERS, in_words
from stages.nudity import Gate
from stages.picture_bytes import png
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params
from stages.video import NativeFrame

_OF_THE_CLIP: Final = {"source": "file", "source_sha256": "sha256", "trim": "trim", "timecode": "timecode"}
"""What the clip's facts say of its file, and what it is called here, where "source" is a person."""


def deliver(name: str, params: Params, out: Path) -> None:
    """Write the layered delivery of a swap whose finished frames are made: looked at, listed, signed and logged.

    That it begins is logged, too, before anything is written: a purge finds what a kill leaves of it.

    Raises:
        Problem: no such swap; no consent; an artifact is missing or damaged; the finished frames are not what the
            settings and artifacts give, or one shows nudity; the pair's model is not the one that made the swap; it can
            not be signed and read back; the folder holds something else.
    """
    inputs, records = Inputs.read(name, params), require_swap_consent(name, params, "layers")
    finished = Frames.read(Path("data/compositing") / name)
    if out.exists() and not (out / LAYERS).is_file():
        raise Problem(
            "something else is there, which would be replaced", where=out, mend="name a folder that is not there yet"
        )
    above = next((parent for parent in out.resolve().parents if (parent / LAYERS).is_file()), None)
    if above is not None:
        raise Problem(
            f"it lies in a layered delivery, {above}, which is removed as a whole if a consent is withdrawn",
            where=out,
            mend="name a folder outside of it",
        )
    swap = params.swap(name)
    provenance = provenance_of(name, params, records, inputs.frames, finished, inputs.converted, "layers")
    about = {
        "swap": name,
        "source": swap.source,
        "target": swap.target,
        "clip": swap.clip,
        "consent": inputs.consent,
        "lineage": provenance.origin.root,
        "signed": provenance.signer is not None,
    }
    gate = Gate.of(finished, params.screening, LookedAt.of_clip(swap.clip))
    # before the first file: what a kill leaves beside the place is found again by this line
    audit.append("begun", swap=name, consent=inputs.consent, layers=str(out))
    with whole_folder(out) as folder:
        write_layers(
            inputs,
            finished,
            folder,
            params.compositing,
            about,
            gate,
            tags=provenance.tags,
            what=f"layers of {name}",
        )
        provenance.sign(folder, title="layers")  # a credential names nobody
        listed = folder / LIST if provenance.signer else write_list(folder)
        audit.append("delivery", swap=name, consent=inputs.consent, layers=str(out), sha256=sha256_of(listed))


def write_layers(
    inputs: Inputs,
    finished: Frames,
    folder: Path,
    settings: CompositingSettings,
    about: dict[str, Any],
    gate: Gate | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    what: str = "layers",
) -> None:
    """The delivery into an existing folder, a frame at a time.

    Args:
        inputs: of the swap.
        finished: what compositing made of them; each frame is compared with what is delivered of it.
        folder: that becomes the delivery.
        settings: of the stage, as they were for ``finished``.
        about: facts to be kept with it: who, from whose consent.
        gate: looks at the finished frames; None does not look.
        tags: fields that its disclosure says beside the words, see :func:`stages.disclosure.in_words`.
        what: the work in a few words, for the bar.

    Raises:
        Problem: a finished frame is not what the inputs and settings give, or shows nudity.
    """
    frames = inputs.frames
    # at first what is known by now, so that what a kill leaves tells whose it is
    write_facts(folder / LAYERS, about)
    for part in ("face", "matte"):
        (folder / part).mkdir()
    spans = spans_of_frames(inputs, matches(inputs, settings, what), settings)
    layers = chain.from_iterable(
        replace(inputs, faces=span.faces, alignments=None).layers(span.matched, settings, span.wanted) for span in spans
    )
    rows_of = inputs.faces.groupby("frame").groups
    wanted, shots = finished.index["hash"].tolist(), frames.index["shot"].tolist()
    told: list[dict[str, Any]] = []
    for frame in progress(frames, total=len(frames), what=what):
        rows = list(rows_of.get(frame.number, ()))
        element = place_and_separate(frame, islice(layers, len(rows)), settings.blend)
        if frame.number >= len(wanted) or frame.digest() != wanted[frame.number]:
            raise Problem(
                f"frame {frame.number} is not what the settings and the code of today give",
                where=finished.folder,
                mend="run `dvc repro` for compositing, then this again",
            )
        if gate:
            gate.see(frame)
        entry: dict[str, Any] = {
            "frame": frame.number,
            "pts": frame.pts,
            "duration": frame.duration,
            "seconds": str(frame.pts * Fraction(frames.facts.time_base)),
            "shot": int(shots[frame.number]),
            "face": None,
            "matte": None,
            "faces": [_face(inputs.faces, row) for row in rows] if element is not None else [],
        }
        if element is not None:
            entry |= {part: f"{part}/{frame.number:06d}.{kind}" for part, kind in (("face", "exr"), ("matte", "png"))}
            write_exr(folder / entry["face"], element.face)
            (folder / entry["matte"]).write_bytes(png(element.matte, folder / entry["matte"]))
        told.append(entry)
    replaced = sum(entry["face"] is not None for entry in told)
    facts = _facts(frames, settings) | {"signed": False} | about | {"frames": len(told), "frames_with_a_face": replaced}
    facts |= {"screening": gate.facts()} if gate else {}
    with whole_file(folder / LAYERS) as scratch:
        write_facts(scratch, facts)
    write_facts(folder / "frames.json", {"frames": told})
    (folder / "README.md").write_text(_readme(facts), encoding="utf-8")
    (folder / "disclosure.txt").write_text(in_words(tags or {}), encoding="utf-8")


def _face(faces: pd.DataFrame, row: int) -> dict[str, Any]:
    """What is told of one face: who follows whom, and from the unit crop into the frame."""
    crop_to_frame = geometry.invert(transform_of(faces, row))
    return {
        "face": int(faces["face"].iloc[row]),
        "track": int(faces["track"].iloc[row]),
        "crop_to_frame": crop_to_frame.tolist(),
    }


def _facts(frames: Frames, settings: CompositingSettings) -> dict[str, Any]:
    """What holds for all frames: the clip's facts, and how RGB becomes the code values of its channels."""
    facts = frames.facts
    said = facts.model_extra or {}
    first = next(iter(frames), None)
    parts = channels(first.picture, facts) if first is not None else []
    return {
        **facts.model_dump(include=set(type(facts).model_fields)),
        **{f"clip_{key}": said[name] for name, key in _OF_THE_CLIP.items() if name in said},
        "matrix_used": facts.matrix_number,
        "matte_of_a_hidden_target": OPAQUE,
        "channels": [
            {
                "name": name,
                "across": part.across,
                "down": part.down,
                "weights": part.weights.tolist(),
                "offset": part.offset,
                "largest": part.largest,
            }
            for name, part in zip(_names(first), parts, strict=True)
        ],
        "compositing": settings.model_dump(mode="json"),
        "disclosure": DISCLOSURE,
    }


def _names(frame: NativeFrame | None) -> list[str]:
    """What the channels of a frame are called, in the order in which compositing has them."""
    if frame is None:
        return []
    form = frame.picture.format.name
    if form in PACKED:
        return [letter.upper() for letter in PACKED[form] if letter != "a"]
    if form.startswith("gb"):
        return ["G", "B", "R"]
    return ["Y"] if form.startswith("gray") else ["Y", "Cb", "Cr"]


def _readme(facts: dict[str, Any]) -> str:
    """The conventions, for whoever rebuilds the composite."""
    environment = Environment(
        loader=PackageLoader("stages.compositing", "."), undefined=StrictUndefined, trim_blocks=True, autoescape=False
    )
    return environment.get_template("layers.md.j2").render(facts=facts)
