"""Conversion agrees with torch, keeps the order of faces, and refuses what does not fit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
import torch

from stages.artifacts.alignments import POSE_AND_QUALITY, Alignments
from stages.artifacts.converted import Converted
from stages.artifacts.files import read_facts, write_facts
from stages.artifacts.frames import Frames, FrameWriter
from stages.artifacts.swap_model import SwapModel
from stages.artifacts.visibility import ALL_SEEN, SIZE
from stages.conversion.faces import arrays_of, faces_of
from stages.conversion.network import SourceNetwork, in_batches, run_bound
from stages.conversion.settings import ConversionSettings
from stages.conversion.stage import convert
from stages.execution.engines import HERE
from stages.execution.keeping import AsArrays, Keeping
from stages.geometry import as_matrix, crop
from stages.onnx import open_session
from stages.problems import Problem
from stages.training.export import export
from stages.training.networks import SwapNetwork
from stages.video import decode
from stages.visible_face import VisibleFace
from tests.conftest import write_clip
from tests.killing import contents, inodes
from tests.training.faces import smoke_preset

SETTINGS = ConversionSettings(device="cpu", threads=1, batch=4)


@pytest.fixture(scope="module")
def network() -> SwapNetwork:
    torch.manual_seed(0)
    return SwapNetwork(["ada", "ben"], smoke_preset().network).requires_grad_(False)


@pytest.fixture(scope="module")
def model(network: SwapNetwork, tmp_path_factory: pytest.TempPathFactory) -> SwapModel:
    """An untrained swap model with a network for ada."""
    folder = tmp_path_factory.mktemp("model")
    export(network, "ada", 32, folder / "ada.onnx")
    write_facts(folder / "model.json", {"crop_size": 64, "stored_size": 64, "input_size": 32, "output_size": 32})
    return SwapModel.read(folder)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """Twelve frames of moving noise."""
    root = tmp_path_factory.mktemp("frames")
    write_clip(root / "clip.mp4", frames=12, width=96, height=80)
    pictures = list(decode(root / "clip.mp4"))
    (root / "frames").mkdir()
    with FrameWriter(root / "frames", pictures[0].facts, rows=5) as writer:
        for frame in pictures:
            writer.add(frame.picture, pts=frame.pts, duration=frame.duration, shot=0)
        writer.close()
    return Frames.read(root / "frames")


def alignments_at(places: list[tuple[int, int]]) -> Alignments:
    """Faces at (frame, face), each with a transform of its own."""
    rows = [
        {
            "frame": frame,
            "face": face,
            "track": face,
            "shot": 0,
            "landmarks": np.zeros(478 * 3, np.float32),
            "seen": ALL_SEEN,
            "transform": [0.02, 0.001 * frame, -0.1 * face, -0.001 * frame, 0.02, -0.2],
        }
        | dict.fromkeys(POSE_AND_QUALITY, 0.0)
        for frame, face in places
    ]
    return Alignments.of(pd.DataFrame(rows), {})


def converted(
    frames: Frames, alignments: Alignments, model: SwapModel, folder: Path, settings: ConversionSettings = SETTINGS
) -> Converted:
    folder.mkdir()
    convert(frames, alignments, model, "ada", folder, settings)
    return Converted.read(folder)


PLACES = [(0, 0), (1, 0), (1, 1), (4, 0), (5, 1), (9, 0), (11, 0)]


def test_each_face_is_what_torch_makes_of_its_crop(
    frames: Frames, model: SwapModel, network: SwapNetwork, tmp_path: Path
) -> None:
    alignments = alignments_at(PLACES)
    found = converted(frames, alignments, model, tmp_path / "converted")
    assert list(zip(found.index["frame"], found.index["face"], strict=True)) == PLACES
    pictures = {frame.number: frame.rgb() for frame in frames}
    for (colour, mask), row in zip(found.each(), alignments.table.itertuples(), strict=True):
        aligned = crop(pictures[row.frame], as_matrix(row.transform), 64)
        wanted = network.swap(torch.from_numpy(model.network_input(aligned[None])), "ada")
        assert colour.shape == (32, 32, 3)
        # half a step of rounding to 8 bits, and the stated tolerance of a quarter
        np.testing.assert_allclose(colour, wanted.rgb[0].permute(1, 2, 0).numpy() * 255, atol=0.76)
        np.testing.assert_allclose(mask, wanted.mask[0, 0].numpy() * 255, atol=0.76)


def test_of_each_converted_face_it_is_kept_what_shows_a_face(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    found = converted(frames, alignments_at(PLACES), model, tmp_path / "converted")
    network = VisibleFace.open()
    pictures = list(found.shown())
    assert len(pictures) == len(PLACES)
    for (colour, _), shown in zip(found.each(), pictures, strict=True):
        larger = cv2.resize(colour, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(shown, 255.0 * network.look(larger[None])[0], atol=0.6)
    some = found.index.iloc[[4, 1]]
    for shown, wanted in zip(found.shown(some), (pictures[4], pictures[1]), strict=True):
        np.testing.assert_array_equal(shown, wanted)


def test_the_batch_has_no_influence_on_a_face(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    results = [
        list(
            converted(
                frames, alignments_at(PLACES), model, tmp_path / f"{n}", SETTINGS.model_copy(update={"batch": n})
            ).each()
        )
        for n in (1, 3, 50)
    ]
    for one, *others in zip(*results, strict=True):
        for other in others:
            for array, same in zip(one, other, strict=True):
                np.testing.assert_allclose(array.astype(int), same.astype(int), atol=1)


def test_bound_inputs_and_outputs_give_the_same(model: SwapModel) -> None:
    session = open_session(model.network("ada"), device="cpu", threads=1)
    crop = np.random.default_rng(0).random((3, 3, 32, 32), dtype=np.float32)
    for bound, wanted in zip(
        run_bound(session, crop, "cpu"), session.run(["rgb", "mask"], {"crop": crop}), strict=True
    ):
        np.testing.assert_array_equal(bound, wanted)


def test_spans_that_were_kept_are_not_converted_again(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    alignments = alignments_at([(frame, face) for frame in range(12) for face in range(7)])
    folders = [tmp_path / name for name in ("whole", "kept", "first", "second")]
    for folder in folders:
        folder.mkdir()
    whole, kept, first, second = folders
    convert(frames, alignments, model, "ada", whole, SETTINGS)
    keeping = Keeping(HERE, kept, AsArrays(arrays_of, faces_of))
    convert(frames, alignments, model, "ada", first, SETTINGS, engine=keeping)
    spans = inodes(sorted(kept.iterdir()))
    assert len(spans) == 3
    sorted(kept.iterdir())[1].unlink()
    convert(frames, alignments, model, "ada", second, SETTINGS, engine=keeping)
    assert contents(first) == contents(second) == contents(whole)
    again = inodes(sorted(kept.iterdir()))
    assert (again[0], again[2]) == (spans[0], spans[2])


class OnGpu:
    """A session that says it runs on CUDA."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)


def test_a_gpu_gets_bound_inputs_and_a_cpu_does_not(model: SwapModel, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_session(model.network("ada"), device="cpu", threads=1)
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    devices = []

    def noted(session: ort.InferenceSession, crop: np.ndarray, device: str) -> list[np.ndarray]:
        devices.append(device)
        return run_bound(session, crop, "cpu")

    monkeypatch.setattr("stages.conversion.network.run_bound", noted)
    plain = SourceNetwork(session, model).convert(crops)
    assert devices == []
    bound = SourceNetwork(OnGpu(session), model).convert(crops)
    assert devices == ["cuda"]
    for one, other in zip(plain, bound, strict=True):
        np.testing.assert_array_equal(one, other)


def test_twice_gives_the_same_bytes(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    for name in ("one", "two"):
        converted(frames, alignments_at(PLACES), model, tmp_path / name)
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_faces_come_out_in_order_however_they_are_listed(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    straight = converted(frames, alignments_at(PLACES), model, tmp_path / "straight")
    mixed = converted(frames, alignments_at(PLACES[::-1]), model, tmp_path / "mixed")
    pd.testing.assert_frame_equal(straight.index, mixed.index)
    for one, other in zip(straight.each(), mixed.each(), strict=True):
        np.testing.assert_array_equal(one[0], other[0])


def test_a_clip_without_faces_gives_an_empty_artifact(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    none = Alignments.of(alignments_at(PLACES).whole().head(0), {})
    found = converted(frames, none, model, tmp_path / "converted")
    assert len(found.index) == 0
    assert found.facts["faces"] == 0


def test_the_facts_say_which_network_ran_where(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    facts = converted(frames, alignments_at(PLACES[:1]), model, tmp_path / "converted").facts
    assert facts["source"] == "ada"
    assert facts["size"] == 32
    assert facts["network_sha256"] == model.network_sha256("ada")
    assert facts["providers"] == ["CPUExecutionProvider"]


def test_an_identity_without_a_decoder_is_told(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"zoe\.onnx"):
        convert(frames, alignments_at(PLACES), model, "zoe", tmp_path, SETTINGS)


def test_alignments_of_a_longer_clip_are_told(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="fewer frames than its alignments name"):
        convert(frames, alignments_at([(12, 0)]), model, "ada", tmp_path, SETTINGS)


def test_a_network_of_another_model_is_told(frames: Frames, model: SwapModel, tmp_path: Path) -> None:
    (tmp_path / "ada.onnx").write_bytes((model.folder / "ada.onnx").read_bytes())
    write_facts(tmp_path / "model.json", read_facts(model.folder / "model.json") | {"input_size": 64})
    with pytest.raises(Problem, match=r"do not fit its model\.json"):
        converted(frames, alignments_at(PLACES), SwapModel.read(tmp_path), tmp_path / "converted")


@pytest.mark.parametrize(("count", "size", "sizes"), [(0, 4, []), (4, 4, [4]), (9, 4, [4, 4, 1]), (2, 9, [2])])
def test_batches_hold_all_in_order(count: int, size: int, sizes: list[int]) -> None:
    crops = [np.full((2, 2, 3), number, np.uint8) for number in range(count)]
    batches = list(in_batches(crops, size))
    assert [len(batch) for batch in batches] == sizes
    assert [int(picture[0, 0, 0]) for batch in batches for picture in batch] == list(range(count))
