"""A small scene with everything that compositing reads: a clip of an ellipse that moves, and its converted crops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.alignments import POSE_AND_QUALITY, Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.frames import Frames, FrameWriter
from stages.artifacts.visibility import ALL_SEEN, SIZE, packed
from stages.channels import channels
from stages.video import VideoFacts

RADII = (0.3, 0.38)
"""Half axes of the face in the unit crop."""


@dataclass(frozen=True)
class Scene:
    """What compositing reads, and the colour of the converted faces."""

    frames: Frames
    alignments: Alignments
    converted: Converted


def outline() -> NDArray[np.float64]:
    """478 points on and in an ellipse in the unit crop."""
    angle = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    return 0.5 + np.stack([RADII[0] * np.cos(angle), RADII[1] * np.sin(angle)], axis=1)


def painted(rgb: NDArray[np.uint8], facts: VideoFacts) -> av.VideoFrame:
    """An RGB picture in the clip's own pixel format."""
    picture = av.VideoFrame(facts.width, facts.height, facts.pixel_format)
    for channel in channels(picture, facts):
        values = channel.values_of(rgb.astype(np.float32) / 255)
        channel.write((0, 0, facts.width, facts.height), values, np.ones(values.shape, dtype=bool))
    return picture


@pytest.fixture
def make_scene(tmp_path: Path) -> Callable[..., Scene]:
    """Build a scene: ``make(frames=8, pixel_format="yuv420p", ...)``."""

    def make(
        *,
        frames: int = 8,
        pixel_format: str = "yuv420p",
        width: int = 160,
        height: int = 120,
        without: tuple[int, ...] = (),
        colour: tuple[int, int, int] = (200, 60, 40),
        size: int = 48,
        cut: int | None = None,
        flicker: float = 0.0,
        wild: bool = False,
        times: Callable[[int], int] = lambda number: number,
        seen: Callable[[int], NDArray[np.float32]] | None = None,
        hair: bool = False,  # over the left half of the converted crops
        drawn: Callable[[int], NDArray[np.float32]] | None = None,  # luma 0..255 of the converted crops
        said: dict[str, Any] | None = None,
        monochrome: bool = False,  # the clip
        lips: bool = False,  # red ones, on the converted crops
        light: Callable[[int], float] = lambda number: 1.0,  # on the clip; converted crops stay as they are
        white: Callable[[int], float] = lambda number: 0.0,  # share of it that lies over the clip
    ) -> Scene:
        facts = VideoFacts(
            width=width,
            height=height,
            pixel_format=pixel_format,
            time_base="1/25",
            rate="25/1",
            matrix="bt709",
            range="tv",
        )
        rng = np.random.default_rng(7)
        background = rng.integers(30, 220, (height, width, 3)).astype(np.uint8)
        if monochrome:
            background = np.repeat(background.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
        folders = [tmp_path / name for name in ("frames", "alignments", "converted")]
        for folder in folders:
            folder.mkdir()
        rows: list[dict[str, Any]] = []
        placed: list[dict[str, Any]] = []
        with FrameWriter(folders[0], facts, rows=5) as writer, Converted.crops_into(folders[2]) as crops:
            for number in range(frames):
                shot = int(cut is not None and number >= cut)
                lit = np.clip(background * light(number), 0, 255)
                picture = painted((lit + white(number) * (255 - lit)).astype(np.uint8), facts)
                for channel in channels(picture, facts) if wild else ():  # codes that are no colours of RGB among them
                    channel.samples[:] = rng.integers(0, channel.largest + 1, channel.samples.shape)
                writer.add(picture, pts=times(number), duration=1, shot=shot)
                if number in without:
                    continue
                side = 64.0
                to_unit = np.array([[1 / side, 0, -(30.0 + number) / side], [0, 1 / side, -25.0 / side]])
                points = geometry.apply(geometry.invert(to_unit), outline())
                rows.append(
                    {"frame": number, "face": 0, "track": 0, "shot": shot, "transform": to_unit.ravel()}
                    | {"landmarks": np.concatenate([points, np.zeros((478, 1))], axis=1).ravel()}
                    | {"seen": ALL_SEEN if seen is None else packed(seen(number))}
                    | dict.fromkeys(POSE_AND_QUALITY, 0.0)
                )
                shade = np.array(colour) * (1 + flicker * (-1) ** number) + rng.integers(-6, 7, (size, size, 1))
                if drawn is not None:
                    shade = np.repeat(drawn(number)[..., None], 3, axis=2)
                if lips:
                    shade[size * 5 // 8 : size * 3 // 4, size * 3 // 8 : size * 5 // 8] = (190, 20, 30)
                mask = np.full((size, size), 255, np.uint8)
                shown = np.full((SIZE, SIZE), 255, np.uint8)
                if hair:
                    shade[:, : size // 2], shown[:, : SIZE // 2] = 8.0, 0
                shard, row = crops.add(
                    crops=np.clip(shade, 0, 255).astype(np.uint8),
                    masks=mask,
                    shown=shown,
                )
                placed.append({"frame": number, "face": 0, "shard": shard, "row": row})
            writer.close(**said or {})
        Converted.write_index(
            folders[2], pd.DataFrame(placed, columns=["frame", "face", "shard", "row"]), {"size": size}
        )
        columns = ["frame", "face", "track", "shot", "landmarks", "transform", *POSE_AND_QUALITY, "seen"]
        alignments = Alignments.of(pd.DataFrame(rows, columns=columns), {})
        alignments.write(folders[1])
        return Scene(Frames.read(folders[0]), Alignments.read(folders[1]), Converted.read(folders[2]))

    return make


def seconds(scene: Scene) -> list[Fraction]:
    """Presentation times."""
    return [int(pts) * Fraction(scene.frames.facts.time_base) for pts in scene.frames.index["pts"]]


@pytest.fixture
def make_pipeline(workplace: Path, make_scene: Callable[..., Scene]) -> Callable[..., None]:
    """Build a scene as what the swap ``ada-on-ben`` reads, in the workplace's ``data``."""

    def make(**asked: Any) -> None:
        make_scene(**asked)
        places = {"frames": "extraction/ben", "alignments": "alignment/ben", "converted": "conversion/ada-on-ben"}
        for name, place in places.items():
            (workplace / "data" / place).parent.mkdir(parents=True, exist_ok=True)
            (workplace / name).rename(workplace / "data" / place)

    return make
