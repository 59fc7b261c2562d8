"""What compositing a face costs: the parts that are timed, on frames as large as are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stages import geometry
from stages.bench.placing import Cost, cost, enlarged, table_of
from stages.compositing.inputs import Inputs
from stages.compositing.masks import face_size
from stages.compositing.settings import CompositingSettings
from tests.compositing.conftest import Scene, make_scene

__all__ = ["make_scene"]


@pytest.fixture
def inputs(make_scene: Callable[..., Scene], tmp_path: Path) -> Inputs:
    scene = make_scene()
    (tmp_path / "large").mkdir()
    return enlarged(Inputs.of(scene.frames, scene.alignments, scene.converted), 3, tmp_path / "large")


def test_the_face_is_as_large_as_asked_and_the_crops_lie_on_it(inputs: Inputs) -> None:
    facts = inputs.frames.facts
    assert (facts.width, facts.height, len(inputs.frames)) == (1920, 1080, 3)
    points = np.stack([np.reshape(each, (-1, 3))[:, :2] for each in inputs.faces["landmarks"]])
    sizes = [face_size(np.ascontiguousarray(each)) for each in points]
    assert np.median(sizes) == pytest.approx(400, rel=1e-3)
    for each, transform in zip(points, inputs.faces["transform"], strict=True):
        inside = geometry.apply(geometry.as_matrix(transform), each)
        assert inside.min() > 0
        assert inside.max() < 1


def test_every_part_is_timed_and_the_faces_are_placed(inputs: Inputs) -> None:
    found = cost(inputs, CompositingSettings())
    assert min(found.decoding, found.preparing, found.placing) > 0
    assert found.together == pytest.approx(found.measuring + found.preparing + found.placing)


def test_the_table_tells_each_part_and_their_sum() -> None:
    assert table_of({"default": Cost(30.0, 10.0, 12.0, 8.5)}).splitlines()[2:] == [
        "| default | 10.0 ms | 12.0 ms | 8.5 ms | 30.5 ms |",
        "",
        "decoding a frame, once in each of two passes: 30.0 ms",
    ]
