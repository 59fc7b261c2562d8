"""What of a frame is replaced, and what is left to things before the face, is told by the masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.artifacts.frames import Frames
from stages.artifacts.visibility import SIZE
from stages.bench.playing import Filmed, hidden
from stages.compositing.settings import BlendSettings, CompositingSettings, LightSettings, MaskSettings
from stages.compositing.stage import composite
from tests.compositing.conftest import Scene, make_scene

__all__ = ["make_scene"]


def left_half_covered(_: int) -> NDArray[np.float32]:
    seen = np.ones((SIZE, SIZE), np.float32)
    seen[:, : SIZE // 2] = 0.0
    return seen


@pytest.mark.parametrize("blend", [BlendSettings(method="alpha"), BlendSettings()])
def test_what_is_hidden_is_what_compositing_changes(
    make_scene: Callable[..., Scene], tmp_path: Path, blend: BlendSettings
) -> None:
    scene = make_scene(frames=3, without=(1,), seen=left_half_covered, colour=(250, 20, 20))
    film = Filmed([], scene.frames, scene.alignments, scene.converted, 48)
    settings = CompositingSettings(blend=blend, light=LightSettings(method="none"), grain=0.0)
    found = hidden(film, settings)
    assert not found[1][0].any()
    (tmp_path / "finished").mkdir()
    composite(scene.frames, scene.alignments, scene.converted, tmp_path / "finished", settings)
    for number, (before, after) in enumerate(zip(scene.frames, Frames.read(tmp_path / "finished"), strict=True)):
        without, replaced = found[number]
        assert not (replaced & ~without).any()
        changed = np.abs(before.rgb().astype(int) - after.rgb()).sum(axis=2) > 0
        assert (replaced & ~changed).sum() <= 0.02 * replaced.sum()
        if number == 1:
            continue
        middle = 30 + number + 32  # of the face, in the frame
        kept = without & ~replaced
        assert kept[:, : middle - 4].sum() > 0.9 * without[:, : middle - 4].sum()
        assert replaced[:, middle + 4 :].sum() > 0.9 * without[:, middle + 4 :].sum() > 300
        assert (changed & kept).sum() < 0.2 * kept.sum()


def test_without_the_network_nothing_is_kept(make_scene: Callable[..., Scene]) -> None:
    scene = make_scene(frames=1, seen=left_half_covered)
    film = Filmed([], scene.frames, scene.alignments, scene.converted, 48)
    ((without, replaced),) = hidden(film, CompositingSettings(mask=MaskSettings(occlusion="none")))
    assert without.any()
    np.testing.assert_array_equal(without, replaced)
