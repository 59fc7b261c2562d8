"""Faces are the same wherever they lie: in memory, or in a file of no name that is mapped."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from stages.problems import Problem
from stages.training.chart import PLACES
from stages.training.faces import CPU, PLANES, Faces, read_faces
from stages.training.roomy import roomy_array
from tests.training.faces import write_face_set


def is_mapped(faces: Faces) -> bool:
    """Whether this process has a file mapped where the faces lie."""
    place = faces.planes.data_ptr()
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, _, _, _, inode, *_ = line.split()
        first, last = (int(bound, 16) for bound in span.split("-"))
        if first <= place < last:
            return inode != "0"
    return False


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks at the mappings as Linux shows them")
def test_faces_that_do_not_fit_in_memory_are_mapped_and_are_the_same(tmp_path: Path) -> None:
    write_face_set(tmp_path / "sets" / "clip", "ada")
    write_face_set(tmp_path / "sets" / "other", "ada", seed=1)
    scratch = tmp_path / "scratch"
    resident = read_faces(tmp_path / "sets", 32, scratch)
    assert not scratch.exists()
    mapped = read_faces(tmp_path / "sets", 32, scratch, room=1000)
    for held, paged in ((resident.train, mapped.train), (resident.held_out, mapped.held_out)):
        assert not is_mapped(held)
        assert is_mapped(paged)
        assert torch.equal(held.planes, paged.planes)
        np.testing.assert_array_equal(held.pose, paged.pose)
        np.testing.assert_array_equal(held.expression, paged.expression)
    assert list(scratch.iterdir()) == []  # the files have no name: nothing is left of them, however this ends


def test_taken_faces_are_those_asked_for_in_order() -> None:
    planes = torch.arange(5, dtype=torch.uint8).view(5, 1, 1, 1).expand(-1, PLANES, 4, 4).contiguous()
    faces = Faces(planes, torch.zeros(5, PLACES, 2), np.zeros((5, 2), np.float32), np.zeros((5, 3), np.float32))
    taken = faces.to(CPU).take(torch.tensor([4, 0, 4]))
    assert taken[:, 0, 0, 0].tolist() == [4, 0, 4]


@pytest.mark.parametrize("room", [0, 10**9], ids=["do not fit", "fit"])
def test_faces_for_another_device_lie_there_if_they_fit_and_are_given_there_anyway(room: int) -> None:
    nothing = np.zeros((3, 3), np.float32)
    faces = Faces(torch.zeros(3, PLANES, 4, 4, dtype=torch.uint8), torch.zeros(3, PLACES, 2), nothing[:, :2], nothing)
    elsewhere = faces.to(torch.device("meta"), room)  # torch's device without memory stands for any other one
    assert elsewhere.planes.device.type == ("meta" if room else "cpu")
    assert elsewhere.take(torch.tensor([0, 1])).device.type == "meta"


@pytest.mark.parametrize("room", [0, 10**9], ids=["do not fit", "fit"])
def test_faces_say_how_much_of_the_disk_they_are_mapped_from(
    room: int, face_sets: dict[str, Path], tmp_path: Path
) -> None:
    faces = read_faces(face_sets["ada"], 32, tmp_path, room).train
    assert faces.mapped == (0 if room else faces.planes.nbytes)
    for device in ("cpu", "meta"):
        assert faces.to(torch.device(device), 10**9).mapped == faces.mapped


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(Problem, match="fit neither in memory nor on the disk") as caught:
        roomy_array((4, PLANES, 64, 64), tmp_path, room=0)
    assert "stored_size" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_system_that_takes_no_blocks_at_once_maps_them_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    array = roomy_array((4, PLANES, 16, 16), tmp_path, room=0)
    array[...] = 7
    assert isinstance(array, np.memmap)
    assert (array == 7).all()
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=4 * PLANES * 16 * 16 - 1))
    with pytest.raises(Problem, match="fit neither in memory nor on the disk"):
        roomy_array((4, PLANES, 16, 16), tmp_path, room=0)
