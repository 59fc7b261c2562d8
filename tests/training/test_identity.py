"""The identity term against onnxruntime, at its known points, and in a training."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.alignment.canonical_crop import fit, template
from stages.geometry import apply, crop, invert
from stages.packs import Detector, Landmarker, Recogniser, arcface_transform, five_points, open_pack
from stages.packs.canonical import read_canonical
from stages.problems import Problem
from stages.training.augment import Batch
from stages.training.faces import read_faces
from stages.training.losses import loss_terms
from stages.training.losses.embedder import Embedder
from stages.training.losses.identity import ARCFACE_CORNER, ARCFACE_SIDE, IdentityDistance, chips
from stages.training.networks import Answer
from stages.training.settings import LossSettings
from stages.training.state import State
from stages.training.step import Step
from tests.film import collins, hopper, moved, placed
from tests.training.faces import smoke_preset

CPU = torch.device("cpu")
SIZE = 128
TOLERANCE = 1e-5
"""Between torch and onnxruntime, of embeddings about 1.4 long."""


class Portrait(NamedTuple):
    """A real face: its canonical crop (1, 3, 128, 128) 0..1 and the recogniser's own embedding of it, (128,)."""

    crop: Tensor
    embedding: NDArray[np.float32]


@pytest.fixture(scope="module")
def distance() -> IdentityDistance:
    return IdentityDistance.open(CPU)


@pytest.fixture(scope="module")
def portraits() -> dict[str, Portrait]:
    pack = open_pack()
    detector, landmarker, recogniser = Detector(pack), Landmarker(pack), Recogniser(pack)
    canonical = read_canonical(pack.files["canonical_face"])
    seen = {}
    for name, frame in (
        ("hopper", placed((hopper(), moved(160, 120)))),
        ("hopper, turned", placed((hopper(), moved(160, 120, scale=0.9, degrees=12)))),
        ("collins", placed((collins(), moved(160, 120)))),
    ):
        points = detector.detect([frame])[0].points[:1]
        landmarks = landmarker.refine(frame, points, passes=3)[0][0]
        picture = crop(frame, fit(landmarks, canonical), SIZE)
        embedding = recogniser.embed(frame, five_points(landmarks)[None])[0]
        seen[name] = Portrait(torch.from_numpy(picture).permute(2, 0, 1)[None] / 255, embedding)
    return seen


@pytest.fixture(scope="module")
def mask() -> Tensor:
    """(1, 1, 128, 128), 1 in the middle."""
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 20:110, 24:104] = 1
    return mask


def test_embeddings_equal_those_of_onnxruntime(
    distance: IdentityDistance, portraits: dict[str, Portrait], tmp_path: Path
) -> None:
    trunk = tmp_path / "trunk.onnx"
    onnx.utils.extract_model(str(open_pack().files["recognition"]), str(trunk), ["chip"], ["embedding"])
    session = ort.InferenceSession(trunk, providers=["CPUExecutionProvider"])
    looked_at = chips(torch.cat([portrait.crop for portrait in portraits.values()]))
    (wanted,) = session.run(None, {"chip": 255 * looked_at.numpy()})
    assert np.linalg.norm(wanted, axis=1).min() > 1
    with torch.no_grad():
        np.testing.assert_allclose(distance.embedder(looked_at).numpy(), wanted, atol=TOLERANCE)


def test_the_canonical_crop_shows_the_recogniser_the_face_that_it_would_cut_out_itself(
    distance: IdentityDistance, portraits: dict[str, Portrait]
) -> None:
    with torch.no_grad():
        found = distance.embedder(chips(torch.cat([portrait.crop for portrait in portraits.values()])))
    found /= found.norm(dim=1, keepdim=True)
    own = np.stack([portrait.embedding for portrait in portraits.values()])
    alike = found.numpy() @ own.T
    same = open_pack().same_person
    assert (np.diag(alike) > 0.975).all()
    assert (alike[:2, :2] > same).all(), "one man, straight and turned"
    assert (alike[:2, 2] < same).all()
    assert (alike[2, :2] < same).all(), "another man"


def test_the_arcface_crop_lies_where_the_two_templates_put_it() -> None:
    canonical = read_canonical(open_pack().files["canonical_face"])
    landmarks = np.concatenate([template(canonical, np.eye(3)), np.zeros((10, 2))])
    back = invert(arcface_transform(five_points(landmarks), 256))
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    ours = np.array(ARCFACE_CORNER) + ARCFACE_SIDE * corners
    np.testing.assert_allclose(ours, apply(back, corners), atol=0.006)  # what the turn of 0.3 degrees leaves
    np.testing.assert_allclose(ours.mean(axis=0), apply(back, corners).mean(axis=0), atol=1e-3)


def test_equal_faces_have_no_distance_and_two_people_more_than_one(
    distance: IdentityDistance, portraits: dict[str, Portrait], mask: Tensor
) -> None:
    faces = [portraits[name].crop for name in ("hopper", "hopper, turned", "collins")]
    alike, one_person, two_people = (float(distance(face, faces[0], mask)) for face in faces)
    assert abs(alike) < 1e-6
    assert 1e-4 < one_person < 0.1 * two_people


def test_what_lies_around_the_face_is_not_looked_at(
    distance: IdentityDistance, portraits: dict[str, Portrait], mask: Tensor
) -> None:
    truth = portraits["hopper"].crop
    inside = truth * 0.5 + 0.2
    picture = torch.where(mask > 0, inside, torch.rand(truth.shape)).requires_grad_()
    found = distance(picture, truth, mask)
    found.backward()
    framed_by_the_truth = distance(torch.where(mask > 0, inside, truth), truth, mask)
    torch.testing.assert_close(found.detach(), framed_by_the_truth, atol=1e-6, rtol=0)
    assert picture.grad is not None
    assert picture.grad[(mask == 0).expand_as(truth)].abs().max() == 0
    assert picture.grad[(mask > 0).expand_as(truth)].abs().max() > 0


def test_a_picture_that_follows_the_gradient_becomes_the_other_person(
    distance: IdentityDistance, portraits: dict[str, Portrait], mask: Tensor
) -> None:
    picture = portraits["collins"].crop.clone().requires_grad_()
    optimiser = torch.optim.Adam([picture], lr=0.01)
    seen = []
    for _ in range(12):
        found = distance(picture, portraits["hopper"].crop, mask)
        seen.append(float(found.detach()))
        optimiser.zero_grad()
        torch.autograd.backward(found)
        assert picture.grad is not None
        assert torch.isfinite(picture.grad).all()
        optimiser.step()
    assert seen[-1] < 0.5 * seen[0]


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_the_gradient_is_finite_for_flat_and_for_equal_pictures(
    distance: IdentityDistance, mask: Tensor, value: float
) -> None:
    truth = torch.full((1, 3, SIZE, SIZE), value)
    for offset in (0.0, 1e-4):
        picture = (truth + offset).requires_grad_()
        (gradient,) = torch.autograd.grad(distance(picture, truth, mask), picture)
        assert torch.isfinite(gradient).all()


def test_the_recogniser_learns_nothing_and_is_no_part_of_a_state(distance: IdentityDistance) -> None:
    assert list(distance.parameters()) == []
    assert distance.state_dict() == {}
    assert not any(buffer.requires_grad for buffer in distance.buffers())
    assert not distance.embedder.training
    one, other = (
        State(["ada", "ben"], smoke_preset(losses={"identity": weight}), 0, CPU).snapshot() for weight in (0.0, 1.0)
    )
    assert one.tensors.keys() == other.tensors.keys()


def test_the_term_is_weighed_and_asks_for_a_recogniser(
    distance: IdentityDistance, portraits: dict[str, Portrait], mask: Tensor
) -> None:
    truth = portraits["hopper"].crop
    nothing, nowhere, not_mirrored = torch.zeros_like(mask), torch.zeros(0, 0, 2), torch.zeros(len(truth)).bool()
    batch = Batch(truth, truth, mask, nothing, nothing, nowhere, not_mirrored)
    answer = Answer(truth * 0.5, mask)
    settings = LossSettings(l1=0, ssim=0, gradient=0, mask=0, identity=3.0)
    terms = loss_terms(answer, batch, settings, distance)
    assert set(terms) == {"identity"}
    assert float(terms["identity"]) == pytest.approx(3 * float(distance(answer.rgb, truth, mask)))
    with pytest.raises(ValueError, match="no recogniser"):
        loss_terms(answer, batch, settings)


def test_without_a_weight_no_recogniser_is_looked_for(
    face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    preset = smoke_preset(batch=1)
    faces = {name: read_faces(folder, preset.stored_size).train for name, folder in face_sets.items()}
    state = State(list(faces), preset, 0, CPU)
    assert state.identity_distance is None
    Step(faces, preset, 0)(state)
    with pytest.raises(Problem, match="the pack is not there"):
        State(list(faces), smoke_preset(losses={"identity": 1.0}), 0, CPU)


def test_a_file_of_another_network_is_refused() -> None:
    with pytest.raises(Problem, match="not the open pack's recogniser"):
        Embedder.read(open_pack().files["detection"])
