"""``python -m stages.bench.quality``: how good finished frames are in the named scenes, against their right answer.

Each scene (:mod:`stages.bench.scenes`) is played by a swap's target and goes through detection, alignment, conversion
and compositing as the settings file says, with the swap's own model. Nothing of it was in training.

- *PSNR, SSIM*: of the finished frame inside the face, against the right answer. A finished face follows the target's
  colours and not the source's, so the right answer is given them, too: its colours in the face are moved to those of
  the target's face by the compositing's own map, but those of the eyes, which are no skin.
  The face is the landmarks' hull less whatever is no face in truth, and less what lies within two pixels of hair:
  strands are thinner than pixels, so there both show, and whose hair it is a swap does not change.
- *copied*: the same of the untouched target. What does not beat it is worth nothing.
- *kept*: intersection over union of the pixels that the settings leave to what is before the face, and those that truly
  show it, among the pixels that would be replaced without the network; *lost*: share of the face's pixels that are not
  replaced because of the network. Both compare two compositings that bring no light over, since light differs beside
  things, too, once it is measured with them.
- *spilled*: share of the changed pixels in which the target shows no face: background, hair, neck, things. What makes a
  mask larger gains in PSNR, which looks at faces alone, and pays here.
- *replaced*: share of the frames in which a face was replaced.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from stages.alignment.stage import align
from stages.artifacts.alignments import Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.atomic import whole_file
from stages.bench.program import main
from stages.bench.reel import facts_of, reel
from stages.bench.scenes import SCENES, NamedScene, Take, shoot
from stages.compositing.recolouring import between
from stages.compositing.settings import ColourSettings, CompositingSettings
from stages.compositing.stage import composite
from stages.conversion.stage import convert
from stages.detection.stage import detect
from stages.fidelity import FACE_PARTS, hull, mask_box, psnr, ssim
from stages.picture_bytes import png
from stages.problems import Problem, nearest
from stages.progress import progress
from stages.rendering.mesh import COVERS, Part
from stages.rendering.scene import read_performer
from stages.settings import Params, load_params

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

FACE = tuple(part for part in Part if part.name.lower() in FACE_PARTS)
RATE = 25

_SEEN = 12
"""Sum of differences in R, G and B, in code values, from which on a pixel counts as replaced."""

_MIXED = 2
"""Pixels: as far from hair both hair and face may show in one."""


@dataclass(frozen=True)
class Swapped:
    """A scene gone the whole way.

    Attributes:
        takes: what was rendered.
        clip: the clip's frames as they were coded.
        faces: the aligned faces.
        finished: the finished frames.
        masked: the same, but that no light is brought over.
        blind: the same as ``masked``, but made without the network that sees what is before a face.
    """

    takes: list[Take]
    clip: list[Picture]
    faces: pd.DataFrame
    finished: list[Picture]
    masked: list[Picture]
    blind: list[Picture]


@dataclass(frozen=True)
class Filmed:
    """A scene gone as far as conversion: its takes and the artifacts that compositing reads."""

    takes: list[Take]
    frames: Frames
    alignments: Alignments
    converted: Converted

    def gone(self, finished: list[Picture], masked: list[Picture], blind: list[Picture]) -> Swapped:
        """The scene gone the whole way, with what came out."""
        clip = [frame.rgb() for frame in self.frames]
        return Swapped(self.takes, clip, self.alignments.whole(), finished, masked, blind)


def swapped(scene: NamedScene, swap: str, params: Params, folder: Path) -> Swapped:
    """Play a scene and put it through the stages, in an existing empty folder.

    Raises:
        Problem: no face is found in it; the swap's model is not there.
    """
    film = filmed(scene, swap, params, folder)
    return finished(film, folder, params.compositing)


def finished(film: Filmed, folder: Path, settings: CompositingSettings) -> Swapped:
    """Composite a scene in three ways, in an existing folder without ``finished``, ``masked`` and ``blind``."""
    pictures, masked = [], without_light(settings)
    for name, asked in (("finished", settings), ("masked", masked), ("blind", without_network(masked))):
        (folder / name).mkdir()
        composite(film.frames, film.alignments, film.converted, folder / name, asked)
        pictures.append([frame.rgb() for frame in Frames.read(folder / name)])
    return film.gone(*pictures)


def filmed(scene: NamedScene, swap: str, params: Params, folder: Path) -> Filmed:
    """Play a scene and put it through the stages before compositing, in an existing empty folder.

    Raises:
        Problem: no face is found in it; the swap's model is not there.
    """
    asked = params.swap(swap)
    player, other = (read_performer(who, params.performers[who]) for who in (asked.target, asked.source))
    shots = shoot(scene, player, other)
    takes = list(progress(shots, total=scene.frames, what=f"rendering {scene.name}"))
    height, width = takes[0].target.shape[:2]
    for name in ("frames", "converted"):
        (folder / name).mkdir()
    frames = reel(folder / "frames", (take.target for take in takes), facts_of(width, height, RATE))
    found = detect(frames, params.detection, [], clip=scene.name, identity=asked.target)
    alignments = align(frames, found.faces, params.alignment, clip=scene.name)
    model = SwapModel.read(Path("data/training") / asked.pair)
    convert(frames, alignments, model, asked.source, folder / "converted", params.conversion)
    return Filmed(takes, frames, alignments, Converted.read(folder / "converted"))


def without_light(settings: CompositingSettings) -> CompositingSettings:
    """The same, but that no light is brought over."""
    return settings.model_copy(update={"light": settings.light.model_copy(update={"method": "none"})})


def without_network(settings: CompositingSettings) -> CompositingSettings:
    """The same, but that whatever is before a face is painted over."""
    return settings.model_copy(update={"mask": settings.mask.model_copy(update={"occlusion": "none"})})


def figures(scene: NamedScene, made: Swapped, settings: ColourSettings) -> dict[str, float | str]:
    """A row of the table."""
    rows = [
        _frame(made, number, np.asarray(points, np.float32).reshape(-1, 3)[:, :2], settings)
        for number, points in zip(made.faces["frame"].tolist(), made.faces["landmarks"], strict=True)
    ]
    table = pd.DataFrame(rows)
    both, either = table["both"].sum(), table["either"].sum()
    return {
        "scene": scene.name,
        "psnr": float(table["psnr"].mean()),
        "ssim": float(table["ssim"].mean()),
        "worst": float(table["psnr"].min()),
        "copied": float(table["copied"].mean()),
        "kept": float(both / either) if scene.before and either else float("nan"),
        "lost": float(table["lost"].sum() / max(table["face"].sum(), 1)),
        "spilled": float(table["beside"].sum() / max(table["changed"].sum(), 1)),
        "replaced": made.faces["frame"].nunique() / scene.frames,
    }


def _frame(made: Swapped, number: int, points: NDArray[np.float32], settings: ColourSettings) -> dict[str, float]:
    take, clip, finished = made.takes[number], made.clip[number], made.finished[number]
    height, width = finished.shape[:2]
    face = hull(points, width, height) & face_alone(take.truth_parts) & face_alone(take.target_parts)
    box = mask_box(face)
    own = (take.truth_parts == Part.EYE)[box]
    right = np.where(own[..., None], take.truth[box], toned(take.truth[box], clip[box], face[box], settings))
    reach, kept = kept_of(clip, made.masked[number], made.blind[number])
    before = reach & np.isin(take.target_parts, (*COVERS, Part.HAIR))
    bare = reach & np.isin(take.target_parts, FACE)
    changed = _difference(finished, clip) > _SEEN
    return {
        "psnr": psnr(finished[box], right, face[box]),
        "ssim": ssim(finished[box], right, face[box]),
        "copied": psnr(clip[box], right, face[box]),
        "both": float((kept & before).sum()),
        "either": float((kept & bare | before).sum()),
        "lost": float((kept & bare).sum()),
        "face": float(bare.sum()),
        "beside": float((changed & ~np.isin(take.target_parts, FACE)).sum()),
        "changed": float(changed.sum()),
    }


def face_alone(parts: Picture) -> Mask:
    """Where a rendered person's parts (h, w) are face, and no hair is near."""
    hair = (parts == Part.HAIR).astype(np.uint8)
    reach = 2 * _MIXED + 1
    return np.asarray(np.isin(parts, FACE) & (cv2.dilate(hair, np.ones((reach, reach), np.uint8)) == 0))


def kept_of(clip: Picture, masked: Picture, blind: Picture) -> tuple[Mask, Mask]:
    """The pixels that would be replaced without the network, and those of them that the clip mostly keeps with it.

    Args:
        clip, masked, blind: (h, w, 3) uint8; see :class:`Swapped`.

    Returns:
        (h, w) bool each.
    """
    now, else_ = (_difference(picture, clip) for picture in (masked, blind))
    reach = else_ > _SEEN
    return reach, reach & (now < 0.5 * else_)


def _difference(picture: Picture, other: Picture) -> NDArray[np.int_]:
    return np.asarray(np.abs(picture.astype(int) - other).sum(axis=2))


def toned(truth: Picture, target: Picture, face: Mask, settings: ColourSettings) -> Picture:
    """The right answer (h, w, 3) with the colours of its face moved to those of the target's, as compositing does."""
    views = [picture.astype(np.float32) / np.float32(255.0) for picture in (truth, target)]
    moved = between(views, face.astype(np.float32), settings).applied(views[0])
    return np.asarray(np.clip(np.rint(255.0 * moved), 0, 255), np.uint8)


def table_of(rows: Sequence[dict[str, float | str]]) -> str:
    """The rows and their means as Markdown."""
    lines = ["| scene | PSNR | worst frame | SSIM | copied | kept | lost | spilled | replaced |", "|---|" + "---:|" * 8]
    means: dict[str, float | str] = {"scene": "mean"}
    for name in ("psnr", "worst", "ssim", "copied", "kept", "lost", "spilled", "replaced"):
        values = np.array([float(row[name]) for row in rows])
        means[name] = float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
    for row in (*rows, means):
        figure = {name: float(value) for name, value in row.items() if name != "scene"}
        kept = "" if np.isnan(figure["kept"]) else f"{figure['kept']:.3f}"
        lines.append(
            f"| {row['scene']} | {figure['psnr']:.1f} dB | {figure['worst']:.1f} dB | {figure['ssim']:.3f} | "
            f"{figure['copied']:.1f} dB | {kept} | {figure['lost']:.2%} | {figure['spilled']:.2%} | "
            f"{figure['replaced']:.0%} |"
        )
    return "\n".join(lines)


def strip(made: Swapped) -> Picture:
    """The middle frame with a face: clip, finished, without light and network, right answer, side by side."""
    numbers = made.faces["frame"].tolist()
    at = int(numbers[len(numbers) // 2])
    return np.concatenate([made.clip[at], made.finished[at], made.blind[at], made.takes[at].truth], axis=1)


def chosen(names: str) -> Iterable[NamedScene]:
    """The scenes with these names, all if there are none.

    Raises:
        Problem: there is no such scene.
    """
    known = {scene.name: scene for scene in SCENES}
    for name in [name.strip() for name in names.split(",") if name.strip()]:
        if name not in known:
            raise Problem(f"there is no scene '{name}'", where="--scenes", mend=nearest(name, list(known)))
    return [scene for name, scene in known.items() if not names or name in names.replace(" ", "").split(",")]


def command(
    scenes: Annotated[str, typer.Option(help="names with commas between; all if not given")] = "",
    swap: Annotated[str, typer.Option(help="whose model, source and target; both must be performers")] = "ada-on-ben",
    pictures: Annotated[Path | None, typer.Option(help="a folder for a picture of each scene")] = None,
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print how good finished frames are in the named scenes; `dvc repro` must have trained the swap's model."""
    settings = load_params(params)
    rows = []
    for scene in chosen(scenes):
        with tempfile.TemporaryDirectory() as folder:
            made = swapped(scene, swap, settings, Path(folder))
        rows.append(figures(scene, made, settings.compositing.colour))
        if pictures is not None:
            place = pictures / f"{scene.name}.png"
            with whole_file(place) as scratch:
                scratch.write_bytes(png(strip(made), place))
    print(table_of(rows))


if __name__ == "__main__":
    main("quality", command)
