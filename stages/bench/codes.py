"""``python -m stages.bench.codes``: where the error of a swap lies, of a trained pair whose right answers are rendered.

A decoder draws what the encoder's code tells it. So the same decoder is asked again with other codes, and what it drew
is moved, and each is held against the truth on the frames of the exam (:mod:`stages.training.exam`) with odd numbers:

- *as it is*.
- *one shift of all codes*, found by descent on the even frames: what the code says of the target in every frame alike,
  which is the target's own face, its light, and how its crops lie.
- *the best code for each frame*, found by descent on that frame's own truth: what the decoder can draw at all.
- *one affine map a frame* and *a smooth flow*, from what was drawn to the truth: how much of the error is of place.

The second table says how far codes of performers differ who play the same scene, of the variance of all codes: of those
whom the base was trained on and of others. Scenes are new to both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from stages.artifacts.swap_model import SwapModel
from stages.base import footage
from stages.base.recipe import Recipe
from stages.base.settling import codes
from stages.bench.program import main
from stages.fidelity import Mask, Picture, psnr, ssim
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params, load_params
from stages.training.ablation import questions_of
from stages.training.exam import Exam
from stages.training.networks import Decoder, Encoder, SwapNetwork, build_network
from stages.training.stage import place

SHIFT_STEPS: Final = 40
CODE_STEPS: Final = 60
FRAMES: Final = 12
"""For which the best code is looked for: each takes as long as the shift of all."""

STRANGER: Final = 5000
"""Seed of the first performer whom no base was trained on."""

_BATCH: Final = 8
_SHIFT_RATE, _CODE_RATE = 0.02, 0.03


@dataclass(frozen=True)
class Asked:
    """What a decoder is asked for in some frames.

    Attributes:
        codes: (n, latent) of the target's crops.
        wanted, inside: the right answers (n, 3, r, r) and where they count (n, 1, r, r), float32 0..1.
    """

    codes: Tensor
    wanted: Tensor
    inside: Tensor

    def some(self, rows: Tensor) -> Asked:
        """Of the frames with these numbers."""
        return Asked(self.codes[rows], self.wanted[rows], self.inside[rows])


Figures = tuple[float, float]
"""Mean PSNR in dB and SSIM inside the masks."""


def network_of(params: Params, pair: str) -> SwapNetwork:
    """The trained network of a pair, which learns no more.

    Raises:
        Problem: it is missing, of another network than the chosen preset's, or of a family without a code.
    """
    both = params.pair(pair)
    network = build_network((both.a, both.b), params.training.chosen.network)
    if not isinstance(network, SwapNetwork):
        raise Problem("networks of this family have no code", where="params.yaml, training.preset", mend="choose demo")
    weights = SwapModel.read(place(pair)).weights
    try:
        network.load_state_dict(load_file(weights))
    except RuntimeError:
        raise Problem(
            f"{weights} is of another network than this preset's",
            where="params.yaml, training.preset",
            mend="choose the one that the pair was trained with, or train it again",
        ) from None
    return network.eval().requires_grad_(False)


@torch.no_grad()
def asked_of(network: SwapNetwork, exam: Exam, params: Params) -> Asked:
    """What an exam asks, with the codes of what it shows."""
    preset = params.training.chosen
    # conversion's own way from a crop to what a network sees
    eyes = SwapModel(Path(), {"stored_size": preset.stored_size, "input_size": preset.network.input_size})
    seen = torch.from_numpy(eyes.network_input(np.stack(exam.crops)))
    wanted = torch.from_numpy(np.stack(exam.right)).permute(0, 3, 1, 2).float() / 255.0
    inside = torch.from_numpy(np.stack(exam.masks))[:, None].float()
    return Asked(codes_of(network, seen), wanted, inside)


@torch.no_grad()
def codes_of(network: SwapNetwork, crops: Tensor) -> Tensor:
    """The codes of crops (n, 3, s, s) 0..1, (n, latent)."""
    encoder = _encoder(network)
    return torch.cat([encoder.code(part) for part in torch.split(crops, _BATCH)])


def _encoder(network: SwapNetwork) -> Encoder:
    assert isinstance(network.encoder, Encoder)
    return network.encoder


def answers(network: SwapNetwork, identity: str, codes: Tensor) -> Tensor:
    """What a decoder draws for codes (n, latent): (n, 3, r, r) 0..1."""
    decoder = network.decoders[identity]
    assert isinstance(decoder, Decoder)
    return decoder.forward(_encoder(network).grown(codes)).rgb


def error(network: SwapNetwork, identity: str, asked: Asked, codes: Tensor) -> Tensor:
    """Mean squared error of each frame inside its mask, (n,)."""
    squares = (answers(network, identity, codes) - asked.wanted) ** 2 * asked.inside
    mean: Tensor = squares.sum((1, 2, 3)) / (3 * asked.inside.sum((1, 2, 3)))
    return mean


def best_shift(network: SwapNetwork, identity: str, asked: Asked) -> Tensor:
    """What all codes are best moved by, (latent,), by descent (Adam, Kingma and Ba 2015)."""
    shift = torch.zeros(asked.codes.shape[1], requires_grad=True)
    chance = torch.Generator().manual_seed(0)

    def batch() -> Tensor:
        rows = torch.randperm(len(asked.codes), generator=chance)[:_BATCH]
        return error(network, identity, asked.some(rows), asked.codes[rows] + shift).mean()

    _descend(shift, batch, SHIFT_STEPS, _SHIFT_RATE)
    return shift.detach()


def best_codes(network: SwapNetwork, identity: str, asked: Asked) -> Tensor:
    """The best code for each frame, (n, latent), by descent from its own."""
    codes = asked.codes.clone().requires_grad_(True)
    _descend(codes, lambda: error(network, identity, asked, codes).sum(), CODE_STEPS, _CODE_RATE)
    return codes.detach()


def _descend(what: Tensor, loss: Callable[[], Tensor], steps: int, rate: float) -> None:
    optimiser = torch.optim.Adam([what], lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        torch.autograd.backward(loss())
        optimiser.step()


@torch.no_grad()
def drawn(network: SwapNetwork, identity: str, codes: Tensor) -> list[Picture]:
    """What the decoder draws, each (r, r, 3) uint8 RGB."""
    pictures = [answers(network, identity, part) for part in torch.split(codes, _BATCH)]
    planes = torch.cat(pictures).permute(0, 2, 3, 1).numpy()
    return list(np.clip(np.rint(255.0 * planes), 0, 255).astype(np.uint8))


def by_affine_map(picture: Picture, right: Picture, mask: Mask) -> Picture:
    """Moved onto the right answer by one affine map, by maximal correlation (Evangelidis and Psarakis 2008)."""
    soft = [cv2.GaussianBlur(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), (0, 0), 1.0) for each in (right, picture)]
    start, stop = np.eye(2, 3, dtype=np.float32), (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-5)
    try:
        _, found = cv2.findTransformECC(soft[0], soft[1], start, cv2.MOTION_AFFINE, stop, mask.astype(np.uint8), 3)
    except cv2.error:  # it did not converge: the picture stays
        return picture
    size = picture.shape[0]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(picture, found, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def by_flow(picture: Picture, right: Picture, mask: Mask) -> Picture:
    """Moved onto the right answer by a flow that is smooth over three pixels (dense inverse search, Kroeger 2016)."""
    del mask
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    grey = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (right, picture)]
    flow = cv2.GaussianBlur(search.calc(grey[0], grey[1], np.zeros((*grey[0].shape, 2), np.float32)), (0, 0), 3.0)
    across, down = np.meshgrid(*[np.arange(picture.shape[0], dtype=np.float32)] * 2)
    return np.asarray(
        cv2.remap(
            picture, across + flow[..., 0], down + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )


def figures(pictures: Sequence[Picture], exam: Exam, rows: Sequence[int]) -> Figures:
    """Of pictures that answer these frames of an exam."""
    found = [
        (psnr(picture, exam.right[row], exam.masks[row]), ssim(picture, exam.right[row], exam.masks[row]))
        for picture, row in zip(pictures, rows, strict=True)
    ]
    means = np.nanmean(np.array(found), axis=0)
    return float(means[0]), float(means[1])


def limits(network: SwapNetwork, exam: Exam, params: Params) -> dict[str, Figures]:
    """The rows of the first table for one swap."""
    asked, count = asked_of(network, exam, params), len(exam.crops)
    odd = list(range(1, count, 2))
    few = odd[:: max(1, len(odd) // FRAMES)]
    here, who = torch.tensor(odd), exam.identity
    shift = best_shift(network, who, asked.some(torch.arange(0, count, 2)))
    plainly = drawn(network, who, asked.codes[here])
    moved = {
        name: [way(picture, exam.right[row], exam.masks[row]) for picture, row in zip(plainly, odd, strict=True)]
        for name, way in (("one affine map a frame", by_affine_map), ("a smooth flow", by_flow))
    }
    best = best_codes(network, who, asked.some(torch.tensor(few)))
    return {
        "as it is": figures(plainly, exam, odd),
        "one shift of all codes": figures(drawn(network, who, asked.codes[here] + shift), exam, odd),
        "the best code for each frame": figures(drawn(network, who, best), exam, few),
        **{name: figures(pictures, exam, odd) for name, pictures in moved.items()},
    }


def disagreement(codes: NDArray[np.float32]) -> float:
    """How far codes of one scene differ, of the variance of all.

    Args:
        codes: (troupes, scenes, cast, latent).
    """
    cast = codes.shape[2]
    within = np.square(codes - codes.mean(axis=2, keepdims=True)).sum(-1).mean() * cast / (cast - 1)
    whole = np.square(codes - codes.mean(axis=(1, 2), keepdims=True)).sum(-1).mean()
    return float(within / whole)


def played_codes(network: SwapNetwork, recipe: Recipe, folder: Path, size: int) -> NDArray[np.float32]:
    """The codes of all scenes that a recipe's troupes play, (troupes, scenes, cast, latent); rendered into a folder."""
    footage.render(recipe, folder, processes=2)
    planes = torch.from_numpy(footage.read(recipe, folder).planes)
    return np.asarray(codes(_encoder(network), planes, size, planes.device).numpy(), np.float32)


def command(
    pair: Annotated[str, typer.Option(help="a trained pair whose swaps have a rendered truth")] = "ada-ben",
    troupes: Annotated[int, typer.Option(min=1, help="of four performers, rendered for the second table")] = 4,
    scenes: Annotated[int, typer.Option(min=2, help="that each of them plays")] = 8,
    params: Annotated[Path, typer.Option(help="the settings file")] = Path("params.yaml"),
) -> None:
    """Print where the error of a pair's swaps lies, and what its encoder tells of performers; some minutes."""
    settings = load_params(params)
    torch.set_num_threads(settings.training.threads)
    network = network_of(settings, pair)
    exams = questions_of(settings, pair).swaps
    found = {
        exam.identity: limits(network, exam, settings)
        for exam in progress(exams, total=len(exams), what="swaps", unit="swap")
    }
    print(f"| | {' | '.join(f'{who}, drawn' for who in found)} |\n|---|{'---:|' * len(found)}")
    for row in next(iter(found.values()), {}):
        cells = (f"{each[row][0]:.2f} dB, {each[row][1]:.3f}" for each in found.values())
        print(f"| {row} | {' | '.join(cells)} |")
    print("\n| performers | codes of one scene differ by |\n|---|---:|")
    for name, first in (("of the base's training", Recipe().first_identity), ("others", STRANGER)):
        recipe = Recipe(seed=99, first_identity=first, troupes=troupes, scenes=scenes)
        with tempfile.TemporaryDirectory() as folder:
            codes = played_codes(network, recipe, Path(folder), settings.training.chosen.network.input_size)
        print(f"| {name} | {disagreement(codes):.1%} of the variance of all |")


if __name__ == "__main__":
    main("codes", command)
