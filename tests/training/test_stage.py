"""The stage as a whole: what it writes, that it learns, that it gets over faults and tells bad input."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file

from stages.artifacts.cast import CompanionFaces
from stages.artifacts.files import sha256_of
from stages.artifacts.swap_model import SwapModel
from stages.onnx import open_session
from stages.problems import Problem
from stages.settings import Params, parse
from stages.training.card import model_card
from stages.training.export import HALF_TOLERANCE, difference_of_half, export, export_half
from stages.training.faces import read_faces
from stages.training.networks import SwapNetwork, build_network
from stages.training.preview import preview_rows
from stages.training.settings import TrainingSettings
from stages.training.stage import Task, run, train_pair
from stages.training.state import State
from stages.training.step import Step
from tests.conftest import REPOSITORY
from tests.records import put_record
from tests.training.faces import smoke_preset, smoke_settings, write_face_set

CONSENT = {"ada": "ada-1", "ben": "ben-1"}


def trained(face_sets: dict[str, Path], root: Path, settings: TrainingSettings | None = None) -> Path:
    train_pair(Task("ada-ben", face_sets, CONSENT, settings or smoke_settings(), root / "model", root / "scratch"))
    return root / "model"


@pytest.fixture(scope="module")
def model(face_sets: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(face_sets, tmp_path_factory.mktemp("trained"), smoke_settings(iterations=60))


def test_it_writes_the_whole_model_and_leaves_no_scratch(model: Path) -> None:
    assert {path.name for path in model.iterdir()} == {
        "model.safetensors",
        "model.json",
        "ada.onnx",
        "ben.onnx",
        "ada.fp16.onnx",
        "ben.fp16.onnx",
        "card.md",
        "curves.csv",
        "preview.png",
        "time-lapse.mp4",
        "metrics.json",
    }
    assert list((model.parent / "scratch").iterdir()) == []


def test_the_facts_say_what_it_was_made_of(model: Path) -> None:
    facts = SwapModel.read(model).facts
    assert facts["identities"] == ["ada", "ben"]
    assert facts["consent"] == CONSENT
    assert facts["iterations"] == 60
    assert len(facts["data"]["ada"]["ada-clip"]) == 64
    assert set(facts["versions"]) >= {"python", "torch", "onnxruntime"}
    assert facts["versions"].keys() >= {"scipy"}, "whose Delaunay chooses the chart's triangles"
    assert facts["files"] == {
        path.name: sha256_of(path) for path in model.iterdir() if path.suffix in (".onnx", ".safetensors")
    }
    assert len(facts["files"]) == 5
    for told in (facts["onnx"], facts["onnx"]["fp16"]):
        assert told["difference_from_torch"].keys() == CONSENT.keys()
    assert max(facts["onnx"]["difference_from_torch"].values()) <= facts["onnx"]["tolerance"]
    for half in facts["onnx"]["fp16"]["difference_from_torch"].values():
        assert half["finite"]
        assert half["nearly_all"] <= facts["onnx"]["fp16"]["tolerance"]
        assert half["nearly_all"] <= half["greatest"]


def test_it_learns_both_people(model: Path) -> None:
    curve = pd.read_csv(model / "curves.csv")
    assert curve["iteration"].tolist() == list(range(5, 61, 5))
    for identity in CONSENT:
        held_out = curve[f"held_out_{identity}"].dropna()
        assert held_out.iloc[-1] < 0.7 * held_out.iloc[0]
    metrics = json.loads((model / "metrics.json").read_text())["held_out"]
    assert min(metrics[identity]["psnr"] for identity in CONSENT) > 15


def test_a_decoder_puts_on_its_own_identity(model: Path) -> None:
    crop = np.asarray(0.5 * np.ones((1, 3, 32, 32)), np.float32)
    shades = {}
    for identity in CONSENT:
        session = open_session(SwapModel.read(model).network(identity), device="cpu", threads=1)
        shades[identity] = session.run(["rgb"], {"crop": crop})[0][:, :, 12:24, 10:22].mean()
    assert shades["ada"] > shades["ben"] + 0.1, "ada is drawn with a lighter skin"


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-3), ("fp16", 1e-2)])
def test_onnx_agrees_with_the_weights_for_any_batch_size(
    model: Path, precision: Literal["fp32", "fp16"], tolerance: float
) -> None:
    artifact = SwapModel.read(model)
    network = SwapNetwork(artifact.facts["identities"], smoke_preset().network)
    network.load_state_dict(load_file(artifact.weights))
    session = open_session(artifact.network("ben", precision), device="cpu", threads=1)
    for count in (1, 3, 17):
        crops = torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(count))
        rgb, mask = session.run(["rgb", "mask"], {"crop": crops.numpy()})
        with torch.no_grad():
            wanted = network.swap(crops, "ben")
        np.testing.assert_allclose(rgb, wanted.rgb.numpy(), atol=tolerance)
        np.testing.assert_allclose(mask, wanted.mask.numpy(), atol=tolerance)


def test_the_half_network_computes_in_half_precision_behind_the_same_face(model: Path) -> None:
    full, half = (onnx.load(SwapModel.read(model).network("ada", precision)) for precision in ("fp32", "fp16"))
    onnx.checker.check_model(half, full_check=True)
    weights = {tensor.name: tensor for tensor in half.graph.initializer}
    for node in half.graph.node:
        if node.op_type == "Conv":
            assert {weights[name].data_type for name in node.input[1:]} == {onnx.TensorProto.FLOAT16}
        # sums before a layer norm leave float16's range, and so does what it squares
        if node.op_type in ("LayerNormalization", "Gemm") and node.input[-1] in weights:
            kept = weights[node.input[-1]].data_type
            assert node.op_type == "Gemm" or kept == onnx.TensorProto.FLOAT
    assert any(node.op_type == "Conv" for node in half.graph.node)
    assert list(half.graph.input) == list(full.graph.input)
    assert list(half.graph.output) == list(full.graph.output)
    assert (model / "ada.fp16.onnx").stat().st_size < 0.7 * (model / "ada.onnx").stat().st_size


def test_a_half_network_that_is_too_far_off_is_told(model: Path) -> None:
    network = SwapNetwork(["ada", "ben"], smoke_preset().network)
    told = difference_of_half(network, "ada", torch.rand(2, 3, 32, 32), model / "ada.fp16.onnx", threads=1)
    assert told.finite
    assert told.nearly_all is not None
    assert told.nearly_all > HALF_TOLERANCE
    assert not told.good


def test_a_half_network_whose_values_leave_the_range_is_told(tmp_path: Path) -> None:
    """Of convolutions: nothing in the network holds their sums, and the weights lie in float16's range."""
    network = SwapNetwork(["ada", "ben"], smoke_preset().network).eval()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.mul_(300.0)
    full, half = tmp_path / "ada.onnx", tmp_path / "ada.fp16.onnx"
    export(network, "ada", 32, full)
    export_half(full, half)
    told = difference_of_half(network, "ada", torch.rand(2, 3, 32, 32), half, threads=1)
    assert not told.finite
    assert not told.good


@pytest.mark.parametrize("scale", [1.0, 1e5], ids=["as it is", "sums beyond 65504 before the layer norm"])
def test_a_layer_norm_keeps_its_half_network_whole(tmp_path: Path, scale: float) -> None:
    network = SwapNetwork(["ada", "ben"], smoke_preset().network).eval()
    with torch.no_grad():
        network.encoder.to_code.weight.mul_(scale)
        sums: list[float] = []
        hook = network.encoder.to_code.register_forward_hook(
            lambda layer, given, out: sums.append(float(out.abs().max()))
        )
        network.swap(torch.rand(2, 3, 32, 32), "ada")
        hook.remove()
    assert (max(sums) > 65504.0) == (scale > 1.0)
    full, half = tmp_path / "ada.onnx", tmp_path / "ada.fp16.onnx"
    export(network, "ada", 32, full)
    export_half(full, half)
    told = difference_of_half(network, "ada", torch.rand(2, 3, 32, 32), half, threads=1)
    assert told.finite
    assert told.good


@pytest.mark.parametrize("ending", ["onnx", "fp16.onnx"])
def test_the_network_file_does_not_say_where_it_was_written(model: Path, ending: str) -> None:
    written = (model / f"ada.{ending}").read_bytes()
    assert str(REPOSITORY).encode() not in written
    assert b"site-packages" not in written


def test_the_card_says_whose_it_is_and_what_it_was_made_of(model: Path) -> None:
    card = (model / "card.md").read_text()
    _, front, body = card.split("---\n", maxsplit=2)
    assert yaml.safe_load(front)["pipeline_tag"] == "image-to-image"
    facts, metrics = SwapModel.read(model).facts, json.loads((model / "metrics.json").read_text())["held_out"]
    for identity, record in CONSENT.items():
        assert f"| {identity} | {record} |" in body
        assert f"| {identity} | {identity}-clip | {facts['data'][identity][f'{identity}-clip']} |" in body
        assert f"| {identity} | {metrics[identity]['psnr']:.2f} | {metrics[identity]['ssim']:.3f} | 6 |" in body
    settings = body.split("```yaml\n")[1].split("```")[0]
    assert yaml.safe_load(settings) == facts["settings"]
    assert f"| torch | {facts['versions']['torch']} |" in body
    for name, sha256 in facts["files"].items():
        assert f"| {name} | {sha256} |" in body
    assert "One encoder for all and a decoder for each identity" in body
    assert "## Started from\n\nWeights by chance" in body
    assert "ended at iteration 60 (iterations)" in body


def test_the_card_says_what_training_started_from_and_how_the_family_is_built(model: Path) -> None:
    facts, metrics = SwapModel.read(model).facts, json.loads((model / "metrics.json").read_text())["held_out"]
    facts["settings"]["network"]["family"] = "liae"
    card = model_card(facts | {"base": "12ab", "recogniser": "34cd"}, metrics)
    assert "a decoder for each identity" not in card
    assert "One encoder and one decoder for all" in card
    assert "| shared base | 12ab |\n| recogniser of the identity term | 34cd |\n" in card


def test_the_card_tells_which_networks_float16_does_not_do_for(model: Path) -> None:
    facts, metrics = SwapModel.read(model).facts, json.loads((model / "metrics.json").read_text())["held_out"]
    assert "Do not use" not in (model / "card.md").read_text()
    facts["onnx"]["fp16"]["difference_from_torch"] |= {
        "ada": {"greatest": 0.5, "nearly_all": 0.123, "finite": True},
        "ben": {"greatest": None, "nearly_all": None, "finite": False},
    }
    card = model_card(facts, metrics)
    assert "- **Do not use `ada.fp16.onnx`**: it is off by 0.123 of values 0..1." in card
    assert "- **Do not use `ben.fp16.onnx`**: values in it leave float16's range." in card


def test_a_companion_teaches_the_encoder_and_can_not_be_drawn(face_sets: dict[str, Path], tmp_path: Path) -> None:
    write_face_set(tmp_path / "dataset" / "cyd-clip", "cyd", train=8, held_out=2, seed=2)
    folders, consents = {**face_sets, "cyd": tmp_path / "dataset"}, CONSENT | {"cyd": "cyd-1"}
    train_pair(Task("ada-ben", folders, consents, smoke_settings(), tmp_path / "model", tmp_path / "scratch", ("cyd",)))
    alone = trained(face_sets, tmp_path / "alone")
    assert {path.name for path in (tmp_path / "model").iterdir()} == {path.name for path in alone.iterdir()}
    artifact, two = SwapModel.read(tmp_path / "model"), SwapModel.read(alone)
    assert artifact.facts["identities"] == ["ada", "ben"]
    assert artifact.facts["companions"] == ["cyd"]
    assert artifact.facts["data"]["cyd"].keys() == {"cyd-clip"}
    assert artifact.facts["parameters"] == two.facts["parameters"]
    weights, others = load_file(artifact.weights), load_file(two.weights)
    SwapNetwork(["ada", "ben"], smoke_preset().network).load_state_dict(weights)
    assert not torch.equal(weights["encoder.stem.weight"], others["encoder.stem.weight"])
    assert json.loads((tmp_path / "model/metrics.json").read_text())["held_out"].keys() == {"ada", "ben", "cyd"}
    card = (tmp_path / "model/card.md").read_text()
    assert "# Swap model of ada and ben\n" in card
    assert "| cyd | cyd-1 |" in card
    assert "Of these, cyd taught the encoder only" in card


@pytest.mark.parametrize("family", ["likeness", "liae"])
def test_previews_show_a_companion_as_itself_only(family: str, face_sets: dict[str, Path]) -> None:
    sizes = smoke_preset().network.model_copy(update={"family": family})
    held_out = {name: read_faces(face_sets["ada"], 64).held_out for name in ("ada", "ben", "cyd")}
    rows = preview_rows(build_network(list(held_out), sizes), held_out, sizes, ["cyd"])
    swaps = [title for title, _ in rows if " on " in title]
    assert swaps == ["ben on ada", "ben on ada: mask", "ada on ben", "ada on ben: mask"]
    assert "cyd: reconstruction" in [title for title, _ in rows]


def test_a_companion_must_have_joined_with_the_faces_it_has_now(workplace: Path) -> None:
    raw = yaml.safe_load(Path("params.yaml").read_text())
    raw["identities"]["cyd"] = {}
    raw["companions"] = {"cyd-in-ada-ben": {"pair": "ada-ben", "identity": "cyd"}}
    params = parse(Params, raw, where="params.yaml")
    with pytest.raises(Problem, match="no consent record for 'cyd'"):
        run("ada-ben", params)
    put_record(Path("data/consent"), "cyd")
    with pytest.raises(Problem, match=r"companions/cyd\.json: this artifact is not there"):
        run("ada-ben", params)
    CompanionFaces(identity="cyd", consent="cyd-1", data={"cyd-1": "of before"}).write("ada-ben")
    with pytest.raises(Problem, match="face sets of 'cyd' have changed since it joined"):
        run("ada-ben", params)


def test_it_goes_on_rather_than_over(
    face_sets: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.training.stage.write_bundle", _fail)
    settings = smoke_settings().model_copy(update={"checkpoint_seconds": 0.0})
    with pytest.raises(OSError, match="pulled the plug"):
        trained(face_sets, tmp_path, settings)
    monkeypatch.undo()
    with caplog.at_level(logging.INFO):
        trained(face_sets, tmp_path, settings)
    assert "goes on from iteration 20 of 20" in caplog.text


@pytest.mark.parametrize("changed", ["code_hash", "packs_hash"])
def test_what_another_code_or_pack_was_at_is_not_gone_on_with(
    changed: str,
    face_sets: dict[str, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="pulled the plug"):
        patch.setattr("stages.training.stage.write_bundle", _fail)
        trained(face_sets, tmp_path)
    monkeypatch.setattr(f"stages.training.stage.{changed}", lambda **of: "of another")
    with caplog.at_level(logging.INFO):
        trained(face_sets, tmp_path)
    assert "goes on from iteration" not in caplog.text


@pytest.mark.parametrize("part", ["read_faces", "write_bundle"])
def test_memory_that_ends_while_faces_are_read_or_the_model_is_written_is_told(
    part: str, face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spent(*given: object, **named: object) -> None:
        raise MemoryError

    monkeypatch.setattr(f"stages.training.stage.{part}", spent)
    with pytest.raises(Problem, match=r"(?s)training\.presets\.smoke: the memory does not hold it.*lower batch"):
        trained(face_sets, tmp_path)
    assert not (tmp_path / "model").exists()


def test_a_checkpoint_that_can_not_be_read_is_told_and_training_starts_over(
    face_sets: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="pulled the plug"):
        patch.setattr("stages.training.stage.write_bundle", _fail)
        trained(face_sets, tmp_path)
    (kept,) = (tmp_path / "scratch").glob("*/checkpoint.safetensors")
    kept.write_bytes(kept.read_bytes()[:100])
    with caplog.at_level(logging.INFO):
        trained(face_sets, tmp_path)
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    (told,) = (record.getMessage() for record in warned if record.name == "stages.training.checkpoint")
    assert told.startswith(f"{kept} can not be read (")
    assert told.endswith("training starts over, and replaces it")
    assert "goes on from iteration" not in caplog.text


def _fail(*given: object, **named: object) -> None:
    raise OSError("pulled the plug")


def test_other_settings_never_meet_this_ones_checkpoint(face_sets: dict[str, Path], tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="pulled the plug"):
        patch.setattr("stages.training.stage.write_bundle", _fail)
        trained(face_sets, tmp_path)
    fresh = trained(face_sets, tmp_path, smoke_settings(batch=3))
    assert SwapModel.read(fresh).facts["settings"]["batch"] == 3
    assert len(list((tmp_path / "scratch").iterdir())) == 1


def test_a_rate_that_breaks_training_is_told(face_sets: dict[str, Path], tmp_path: Path) -> None:
    wild = {"optimiser": {"learning_rate": 1e6, "warm_up": 0, "clip": 1e9}, "guard": {"retries": 1, "jump": 1.5}}
    with pytest.raises(Problem, match=r"learning_rate: training broke 2 times"):
        trained(face_sets, tmp_path, smoke_settings(**wild))
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(("factor", "told"), [(float("nan"), "nan"), (-30.0, r"\d\S*")], ids=["nan", "jump"])
def test_one_broken_iteration_is_undone_and_training_ends_well(
    factor: float,
    told: str,
    face_sets: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Faulty(Step):
        """Spoils the weights at iteration 10, the first time."""

        def __call__(self, state: State) -> dict[str, torch.Tensor]:
            if state.progress.iteration == 10 and state.progress.setbacks == 0:
                with torch.no_grad():
                    for weight in state.network.parameters():
                        weight *= factor
            return super().__call__(state)

    monkeypatch.setattr("stages.training.loop.Step", Faulty)
    facts = SwapModel.read(trained(face_sets, tmp_path, smoke_settings(guard={"jump": 1.2}))).facts
    assert (facts["iterations"], facts["setbacks"]) == (20, 1)
    assert re.search(
        rf"loss {told} at iteration 15: back to iteration 10 with the learning rate times 0.5", caplog.text
    )
    weights = load_file(tmp_path / "model" / "model.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    assert pd.read_csv(tmp_path / "model" / "curves.csv")["iteration"].tolist() == [5, 10, 15, 20]


def test_a_missing_face_set_is_told(face_sets: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(Problem, match="there is no face set") as told:
        trained({**face_sets, "ben": tmp_path / "nobody"}, tmp_path)
    assert "nobody" in told.value.where


def test_crops_too_small_for_the_preset_are_told(face_sets: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"(?s)keeps faces at 128 pixels, the face set has 64.*lower it to 64"):
        trained(face_sets, tmp_path, smoke_settings(stored_size=128))


def test_a_face_set_without_a_held_out_part_is_told(face_sets: dict[str, Path], tmp_path: Path) -> None:
    write_face_set(tmp_path / "dataset" / "clip", "ben", train=4, held_out=0)
    with pytest.raises(Problem, match="the held-out part has no face"):
        trained({**face_sets, "ben": tmp_path / "dataset"}, tmp_path)


def test_a_gpu_that_is_not_there_is_told(face_sets: dict[str, Path], tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(Problem, match=r"training\.device: torch finds no CUDA GPU"):
        trained(face_sets, tmp_path, smoke_settings().model_copy(update={"device": "cuda"}))


class TestConsentThatEndsMeanwhile:
    """Training asks again while it runs; what it made until then is dropped."""

    def _task(self, face_sets: dict[str, Path], root: Path, ask: Callable[[], None]) -> Task:
        settings = smoke_settings().model_copy(update={"checkpoint_seconds": 0.0})
        return Task("ada-ben", face_sets, CONSENT, settings, root / "model", root / "scratch", still_allowed=ask)

    @pytest.mark.parametrize("asked", [1, 3, 5], ids=["at once", "midway", "before the result is kept"])
    def test_stops_it_and_leaves_nothing(
        self, face_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: int
    ) -> None:
        monkeypatch.setattr("stages.training.consent_watch.SECONDS", 0.0)
        looks = []

        def ask() -> None:
            looks.append(1)
            if len(looks) == asked:
                raise Problem("status: the consent was withdrawn", where="ada.yaml", mend="take ada out")

        with pytest.raises(Problem, match=r"ada\.yaml: status: the consent was withdrawn\n  mend: take ada out"):
            train_pair(self._task(face_sets, tmp_path, ask))
        assert len(looks) == asked
        assert list(tmp_path.rglob("*")) == [tmp_path / "scratch"]
