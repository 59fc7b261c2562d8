"""The base's training: what is asked for is what another performer shows; exact after a kill; folds into decoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stages.artifacts.base import Base
from stages.base import footage
from stages.base.__main__ import make, renders_of
from stages.base.recipe import Recipe
from stages.base.rehearsal import Rehearsal
from stages.problems import Problem
from stages.training.checkpoint import CheckpointFolder
from stages.training.networks import SwapNetwork
from stages.training.networks.ensemble import EnsembleNetwork
from stages.training.settings import AugmentationSettings
from stages.training.warm_start import warm_start

CPU = torch.device("cpu")


def rehearsal(recipe: Recipe, renders: Path, scratch: Path) -> Rehearsal:
    return Rehearsal(footage.read(recipe, renders), recipe, CheckpointFolder(scratch, "run"), CPU)


def test_an_answer_is_the_asked_performer_in_the_scene_that_was_seen(
    recipe: Recipe, renders: Path, tmp_path: Path
) -> None:
    amounts = set(AugmentationSettings.model_fields) - {"smear_spread", "resampling_factor", "compression_quality"}
    still = AugmentationSettings.model_validate(dict.fromkeys(amounts, 0.0))
    plain = recipe.model_copy(update={"augmentation": still, "same": 0.0, "batch": 12})
    planes = footage.read(plain, renders).planes[0].astype(np.float32) / 255.0
    batch, who = rehearsal(plain, renders, tmp_path).batch(0)
    small = torch.nn.functional.avg_pool2d(torch.from_numpy(planes[:, :, :3]).flatten(0, 1), 2)
    for crop, answer, asked in zip(batch.crops, batch.rgb, who.tolist(), strict=True):
        scene, seen = divmod(int((small - crop).abs().mean(dim=(1, 2, 3)).argmin()), plain.cast)
        assert seen != asked
        torch.testing.assert_close(answer, small[scene * plain.cast + asked], atol=0.06, rtol=0.0)


def test_it_learns_and_ends_in_the_same_weights_after_a_break(recipe: Recipe, renders: Path, tmp_path: Path) -> None:
    long = recipe.model_copy(update={"iterations": 60})
    whole = rehearsal(long, renders, tmp_path / "whole")
    first = [float(whole.step()) for _ in range(30)]
    whole._checkpoints.write(whole.state.snapshot())
    last = [float(whole.step()) for _ in range(30)]
    assert np.mean(last[-10:]) < 0.8 * np.mean(first[:10])
    resumed = rehearsal(long, renders, tmp_path / "whole")
    resumed.run()
    for name, tensor in whole.state.average.state_dict().items():
        assert torch.equal(tensor, resumed.state.average.state_dict()[name]), name


@pytest.mark.parametrize("who", [0, 2])
def test_an_identity_folds_into_a_plain_decoder(recipe: Recipe, who: int) -> None:
    torch.manual_seed(0)
    network = EnsembleNetwork(3, recipe.network)
    for parameter in (network.starts, *network.scales, *network.shifts):
        torch.nn.init.normal_(parameter, std=0.3)
    crops = torch.rand(4, 3, 32, 32)
    wanted = network(crops, torch.full((4,), who))
    folded = network.decoder_of(who)(network.encoder(crops))
    for name in ("rgb", "mask", "chart"):
        torch.testing.assert_close(getattr(folded, name), getattr(wanted, name), atol=1e-5, rtol=1e-4)
    other = network.decoder_of(1)(network.encoder(crops))
    assert (other.rgb - folded.rgb).abs().max() > 1e-3


def test_the_base_is_made_whole_and_a_pair_starts_from_it(recipe: Recipe, renders: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    place = renders_of(recipe, scratch)
    place.parent.mkdir(parents=True)
    place.symlink_to(renders)
    make(recipe, tmp_path / "base", scratch, processes=1, threads=1)
    base = Base.read(tmp_path / "base")
    assert base.facts["recipe"] == recipe.model_dump(mode="json")
    assert len(base.facts["renders_sha256"]) == 64
    network = SwapNetwork(["ada", "ben"], recipe.network)
    warm_start(network, tmp_path / "base")
    crops = torch.rand(2, 3, 32, 32)
    assert torch.equal(network.swap(crops, "ada").rgb, network.swap(crops, "ben").rgb)
    for name, tensor in network.encoder.state_dict().items():
        assert torch.equal(tensor, base.part("encoder")[name])

    deeper = SwapNetwork(["ada"], recipe.network.model_copy(update={"side_outputs": 1}))
    warm_start(deeper, tmp_path / "base")
    assert torch.equal(deeper.swap(crops, "ada").rgb, network.swap(crops, "ada").rgb), "side outputs start from chance"

    wider = recipe.network.model_copy(update={"latent": 24})
    with pytest.raises(Problem, match="does not fit the preset's network"):
        warm_start(SwapNetwork(["ada"], wider), tmp_path / "base")
    (tmp_path / "base" / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(Problem, match="can not be read"):
        warm_start(network, tmp_path / "base")


def test_no_recipe_takes_another_ones_pictures_for_its_own(recipe: Recipe, tmp_path: Path) -> None:
    place = renders_of(recipe, tmp_path)
    changed = {"seed": 1, "first_identity": 7, "cast": 3, "scenes": 5, "frame_size": 192, "stored_size": 96}
    changed |= {"yaw": 20.0, "pitch": 5.0, "roll": 5.0, "hard": 0.9}
    assert recipe.model_copy(update=changed).played() == changed
    for field, value in changed.items():
        assert renders_of(recipe.model_copy(update={field: value}), tmp_path) != place, field
    assert renders_of(recipe.model_copy(update={"iterations": 9, "troupes": 2}), tmp_path) == place
