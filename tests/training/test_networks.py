"""Shapes, starting conditions and the independence that a swap rests on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.problems import Problem
from stages.settings import load_params
from stages.training.export import TOLERANCE, difference_from_torch, export
from stages.training.faces import read_faces
from stages.training.networks import FAMILIES, Answer, Network, SwapNetwork, build_network
from stages.training.networks.blocks import Residual, Up, halvings
from stages.training.settings import Family, NetworkSettings
from stages.training.state import State
from stages.training.step import Step
from stages.training.warm_start import warm_start
from tests.conftest import REPOSITORY
from tests.training.faces import smoke_preset

FAMILY_NAMES: tuple[Family, ...] = get_args(Family)


def network(seed: int = 0) -> SwapNetwork:
    torch.manual_seed(seed)
    return SwapNetwork(["ada", "ben"], smoke_preset().network)


def small(family: Family, identities: tuple[str, ...] = ("ada", "ben"), **changes: object) -> Network:
    """A network of a family for crops of 32 pixels."""
    torch.manual_seed(0)
    given = {"input_size": 32, "output_size": 32, "encoder_channels": (8, 16), "latent": 12, "mask_channels": 4}
    given |= {"family": family, "decoder_channels": (16, 12, 8)}
    return build_network(identities, NetworkSettings.model_validate(given | changes))


@pytest.mark.parametrize("family", FAMILY_NAMES)
@pytest.mark.parametrize(("input_size", "output_size"), [(32, 32), (32, 64), (48, 96)])
def test_every_family_gives_the_size_that_is_set(family: Family, input_size: int, output_size: int) -> None:
    net = small(family, input_size=input_size, output_size=output_size)
    counts = {"ada": 2, "ben": 3}
    crops = {name: torch.rand(count, 3, input_size, input_size) for name, count in counts.items()}
    for name, answer in net(crops).items():
        assert answer.rgb.shape == (counts[name], 3, output_size, output_size)
        assert answer.mask.shape == (counts[name], 1, output_size, output_size)
        assert 0 <= min(answer.rgb.min(), answer.mask.min()) <= max(answer.rgb.max(), answer.mask.max()) <= 1


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_the_gradient_reaches_every_parameter(family: Family) -> None:
    net = small(family)
    answers = net({"ada": torch.rand(2, 3, 32, 32), "ben": torch.rand(2, 3, 32, 32)})
    torch.stack([(answer.rgb - 0.2).abs().mean() + answer.mask.mean() for answer in answers.values()]).sum().backward()
    untouched = [name for name, each in net.named_parameters() if each.grad is None or not each.grad.any()]
    assert untouched == []


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_training_as_an_identity_is_a_swap_to_itself(family: Family) -> None:
    net, crops = small(family), torch.rand(5, 3, 32, 32)
    both = net({"ada": crops[:2], "ben": crops[2:]})
    for name, mine in (("ada", crops[:2]), ("ben", crops[2:])):
        torch.testing.assert_close(both[name], net.swap(mine, name))


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_a_swap_depends_on_the_wanted_identitys_own_weights_and_no_others(family: Family) -> None:
    """In liae the first identity owns nothing, so that the second and a third are compared."""
    net, crops = small(family, ("ada", "ben", "eve")), torch.rand(2, 3, 32, 32)
    before = {name: net.swap(crops, name).rgb for name in ("ada", "ben", "eve")}
    own = [each for name, each in net.named_parameters() if ".ben." in name]
    assert own
    with torch.no_grad():
        for parameter in own:
            parameter.mul_(1.5).add_(0.1)
    assert torch.equal(net.swap(crops, "ada").rgb, before["ada"])
    assert torch.equal(net.swap(crops, "eve").rgb, before["eve"])
    assert not torch.equal(net.swap(crops, "ben").rgb, before["ben"])
    assert not torch.equal(before["ben"], before["eve"])


@pytest.mark.parametrize(
    ("preset", "published", "of_masks"),
    [("original", 82.1e6, False), ("liae-128", 82.4e6, True)],
)
def test_the_presets_of_other_projects_have_their_numbers_of_parameters(
    preset: str, published: float, of_masks: bool
) -> None:
    """The figures are for the classic without its mask branch, and for liae-ud at 128 pixels with it."""
    sizes = load_params(REPOSITORY / "params.yaml").training.presets[preset].network
    with torch.device("meta"):
        net = build_network(["a", "b"], sizes)
    counted = [each.numel() for name, each in net.named_parameters() if of_masks or ".mask." not in name]
    assert sum(counted) == pytest.approx(published, abs=0.05e6)


SHIPPED = load_params(REPOSITORY / "params.yaml").training.presets


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_preset_makes_a_network_of_its_size(name: str) -> None:
    sizes = SHIPPED[name].network
    with torch.device("meta"):
        net = build_network(["a", "b"], sizes)
        crops = {identity: torch.rand(2, 3, sizes.input_size, sizes.input_size) for identity in "ab"}
        answers = net(crops) | {"swap": net.swap(crops["a"], "b")}
    for answer in answers.values():
        assert answer.rgb.shape == (2, 3, sizes.output_size, sizes.output_size)
        assert answer.mask.shape == (2, 1, sizes.output_size, sizes.output_size)
    asked = re.fullmatch(r".*-(\d+)", name)
    assert asked is None or sizes.output_size == int(asked[1]), "a preset that is named for a size has it"


def test_the_demos_network_is_the_bases() -> None:
    base = SHIPPED["demo"].base
    assert base is not None
    warm_start(build_network(["a", "b"], SHIPPED["demo"].network), REPOSITORY / base.path)


def test_df_of_96_pixels_has_the_published_number_of_parameters() -> None:
    sizes = NetworkSettings(
        family="df",
        input_size=96,
        output_size=96,
        encoder_channels=(64, 128, 256, 512),
        latent=128,
        decoder_channels=(128, 512, 256, 128),
        mask_channels=16,
    )
    with torch.device("meta"):
        net = build_network(["a", "b"], sizes)
    assert sum(each.numel() for each in net.parameters()) == pytest.approx(38.3e6, abs=0.1e6)


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_the_exported_file_agrees_with_torch_and_holds_one_identity(family: Family, tmp_path: Path) -> None:
    net = small(family, ("ada", "ben", "eve")).eval()
    crops = torch.rand(3, 3, 32, 32)
    for name in ("ada", "ben"):
        export(net, name, 32, tmp_path / f"{name}.onnx")
        assert difference_from_torch(net, name, crops, tmp_path / f"{name}.onnx", threads=1) <= TOLERANCE
    with pytest.raises(Problem, match="differ from torch"):
        difference_from_torch(net, "eve", crops, tmp_path / "ben.onnx", threads=1)
    kept = sum(onnx.numpy_helper.to_array(each).size for each in onnx.load(tmp_path / "ben.onnx").graph.initializer)
    of_others = sum(each.numel() for name, each in net.named_parameters() if ".ada." in name or ".eve." in name)
    needed = sum(each.numel() for each in net.parameters()) - of_others
    assert abs(kept - needed) < of_others / 8, "but for a few constants, the weights that draw ben and nobody else's"


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_every_family_learns(family: Family, face_sets: dict[str, Path]) -> None:
    sizes = {"family": family, "input_size": 32, "output_size": 32, "encoder_channels": (16, 32), "latent": 32}
    preset = smoke_preset(
        network=NetworkSettings.model_validate(sizes | {"decoder_channels": (32, 24, 16), "mask_channels": 4}),
        iterations=40,
        optimiser={"learning_rate": 3e-3, "warm_up": 5},
    )
    faces = {name: read_faces(folder, preset.stored_size).train for name, folder in face_sets.items()}
    state = State(list(faces), preset, 0, torch.device("cpu"))
    step = Step(faces, preset, 0)
    losses = [sum(map(float, step(state).values())) for _ in range(preset.iterations)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


LARGE_STEP = """
import resource
import numpy as np
import torch
from stages.problems import Problem
from stages.settings import load_params
from stages.training.chart import PLACES
from stages.training.faces import PLANES, Faces
from stages.training.state import State
from stages.training.step import Step

preset = load_params().training.presets["size-512"].model_copy(update={"batch": 1})
size, nothing = preset.stored_size, np.zeros((2, 3), np.float32)
planes, places = torch.randint(256, (2, PLANES, size, size), dtype=torch.uint8), torch.rand(2, PLACES, 2)
faces = {name: Faces(planes, places, nothing[:, :2], nothing) for name in "ab"}
state = State(list(faces), preset, 0, torch.device("cpu"))
losses = Step(faces, preset, 0)(state)
assert all(torch.isfinite(loss) for loss in losses.values()), losses
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux")
def test_a_step_of_512_pixels_stays_within_6_gb() -> None:
    """It took 2.4, of which weights, averages, gradients and moments are 1.5. Each process has its own peak."""
    done = subprocess.run([sys.executable, "-c", LARGE_STEP], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 6 * 2**30


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_a_decoder_gives_the_size_that_is_set(downs: int, ups: int, base: int, count: int) -> None:
    sizes = NetworkSettings(
        input_size=32 * downs,
        output_size=max(32, base * 2 ** (ups + 2)),
        encoder_channels=(8,) * downs if downs != 3 else (8, 8),
        latent=16,
        decoder_channels=(8,) * 2,
        mask_channels=4,
    )
    answer = SwapNetwork(["ada"], sizes).swap(torch.rand(count, 3, sizes.input_size, sizes.input_size), "ada")
    assert answer.rgb.shape == (count, 3, sizes.output_size, sizes.output_size)
    assert answer.mask.shape == (count, 1, sizes.output_size, sizes.output_size)
    assert 0 <= answer.rgb.min() <= answer.rgb.max() <= 1


def test_one_batch_of_both_gives_what_each_gives_alone() -> None:
    net, crops = network(), torch.rand(5, 3, 32, 32)
    both = net({"ada": crops[:2], "ben": crops[2:]})
    torch.testing.assert_close(both["ada"].rgb, net.swap(crops[:2], "ada").rgb)
    torch.testing.assert_close(both["ben"].mask, net.swap(crops[2:], "ben").mask)


def test_a_swap_uses_the_sources_decoder_and_no_other() -> None:
    net, crops = network(), torch.rand(2, 3, 32, 32)
    before = net.swap(crops, "ada").rgb
    with torch.no_grad():
        for parameter in net.decoders["ben"].parameters():
            parameter.add_(1.0)
    assert torch.equal(net.swap(crops, "ada").rgb, before)
    assert not torch.equal(net.swap(crops, "ben").rgb, before)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_sub_pixel_layer_starts_without_a_checkerboard(scale: int) -> None:
    torch.manual_seed(0)
    grown = Up(6, 5, scale)(torch.rand(1, 6, 8, 8))
    blocks = grown.unfold(2, scale, scale).unfold(3, scale, scale)
    torch.testing.assert_close(blocks, blocks[..., :1, :1].expand_as(blocks))


def test_a_residual_block_starts_near_the_identity() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 16, 8, 8)
    assert (Residual(16)(x) - x).std() < 0.2 * x.std()


def test_sizes_that_do_not_fit_are_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="input_size must be a multiple of 8"):
        NetworkSettings(input_size=36, output_size=32, encoder_channels=(8, 8), latent=8, decoder_channels=(8, 8))
    with pytest.raises(ValueError, match="48 is not 5 times a power of two"):
        halvings(48, 5)
    with pytest.raises(ValueError, match="output_size must be a multiple of 16"):
        small("df", output_size=40)
    with pytest.raises(ValueError, match="liae needs two decoder_channels or more"):
        small("liae", decoder_channels=(8,))


def test_every_family_of_the_settings_is_built() -> None:
    assert set(FAMILIES) == set(FAMILY_NAMES)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2), st.sampled_from([(32, 2), (48, 3), (64, 2)]))
def test_side_outputs_are_the_half_the_quarter_and_so_on(count: int, sizes: tuple[int, int]) -> None:
    size, batch = sizes
    net = small("likeness", output_size=size, side_outputs=count)
    answer = net({"ada": torch.rand(batch, 3, 32, 32)})["ada"]
    assert answer.rgb.shape[-1] == size
    assert len(answer.sides) == count
    for halved, side in enumerate(answer.sides, start=1):
        assert side.rgb.shape == (batch, 3, size >> halved, size >> halved)
        assert side.mask.shape == (batch, 1, size >> halved, size >> halved)
        assert 0 <= min(side.rgb.min(), side.mask.min()) <= max(side.rgb.max(), side.mask.max()) <= 1


def test_the_gradient_of_a_side_output_reaches_the_stages_below_it_and_no_other() -> None:
    net = small("likeness", side_outputs=2)
    decoder = net.get_submodule("decoders.ada")
    quarter = net({"ada": torch.rand(2, 3, 32, 32)})["ada"].sides[1]
    ((quarter.rgb - 0.2).abs().mean() + quarter.mask.mean()).backward()
    reached = {name for name, each in net.named_parameters() if each.grad is not None and each.grad.any()}
    below = {"start", "stages.0.first.weight", "stages.0.second.weight", "stages.0.gain", "sides.1.conv.weight"}
    assert {f"decoders.ada.{name}" for name in below} <= reached
    assert "encoder.stem.weight" in reached
    above = {name for name, _ in decoder.named_parameters() if name.startswith(("stages.1", "rgb", "mask", "sides.0"))}
    assert above
    assert not {f"decoders.ada.{name}" for name in above} & reached


def test_a_network_has_side_outputs_beside_what_it_has_without_them(tmp_path: Path) -> None:
    """The same weights give the same answer, and the exported network is that without them."""
    net, bare = small("likeness", side_outputs=2).eval(), small("likeness").eval()
    bare.load_state_dict({name: each for name, each in net.state_dict().items() if ".sides." not in name})
    crops = torch.rand(3, 3, 32, 32)
    assert torch.equal(net({"ada": crops})["ada"].rgb, bare({"ada": crops})["ada"].rgb)
    assert net.swap(crops, "ada").sides == ()
    export(net, "ada", 32, tmp_path / "with.onnx")
    export(bare, "ada", 32, tmp_path / "without.onnx")
    assert difference_from_torch(net, "ada", crops, tmp_path / "with.onnx", threads=1) <= TOLERANCE
    assert (tmp_path / "with.onnx").read_bytes() == (tmp_path / "without.onnx").read_bytes()


def test_side_outputs_that_there_can_not_be_are_refused() -> None:
    with pytest.raises(ValueError, match="smallest of side_outputs is less than 8 pixels wide"):
        small("likeness", side_outputs=3)
    with pytest.raises(ValueError, match="side_outputs can be 2"):
        small("likeness", side_outputs=3, output_size=64)
    with pytest.raises(ValueError, match="df has no side_outputs"):
        small("df", side_outputs=1)


def test_a_texture_and_side_outputs_go_together() -> None:
    net = small("likeness", texture=2, texture_size=16, side_outputs=2)
    crops = torch.rand(2, 3, 32, 32)
    plain = net({"ada": crops})["ada"]
    turned = net({"ada": crops}, {"ada": torch.tensor([True, False])})["ada"]
    assert plain.chart is not None
    assert [side.chart for side in plain.sides] == [None, None]
    assert not torch.equal(turned.rgb[0], plain.rgb[0])
    assert torch.equal(turned.rgb[1], plain.rgb[1])
    assert all(torch.equal(one.rgb, other.rgb) for one, other in zip(turned.sides, plain.sides, strict=True))
    swapped = net.swap(crops, "ada")
    assert torch.equal(swapped.rgb, plain.rgb)
    assert swapped.sides == ()


def test_an_answer_in_float32_is_whole() -> None:
    half = torch.zeros(1, 3, 4, 4, dtype=torch.bfloat16)
    whole = Answer(half, half[:, :1], half[:, :2], (Answer(half[..., :2], half[:, :1, :, :2]),)).float()
    assert whole.chart is not None
    assert {each.dtype for each in (*whole[:3], *whole.sides[0][:2])} == {torch.float32}
    assert whole.sides[0].chart is None
