"""The settings of ``training`` in params.yaml: every field with its unit, its bounds and the reason for its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0)]
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
Family = Literal["likeness", "original", "df", "liae"]
_LEAST_SIDE = 8
"""Pixels of a side output: similarity (SSIM) is measured over windows that must fit in."""
_OF_COLOUR = ("l1", "ssim", "gradient", "ms_ssim", "laplacian", "frequency", "identity")
"""Terms of the loss that depend on the answer's colour."""
Channels = Annotated[tuple[Annotated[int, Field(ge=4)], ...], Field(min_length=1)]


class _Settings(BaseModel):
    # what is infinite or no number could not be written down with the model
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NetworkSettings(_Settings):
    """Sizes and widths of the swap network. The families read the widths as the descriptions say."""

    family: Family = Field(
        default="likeness",
        description="likeness: our own; original: the classic of 64 pixels; df: residual decoders; liae: one decoder "
        "for all, which keeps more of the target's light and shape",
    )
    input_size: int = Field(ge=32, description="side of the crop that the encoder sees, pixels")
    output_size: int = Field(ge=32, description="side of the picture that a decoder gives, pixels")
    encoder_channels: Channels = Field(
        description="likeness: channels after the stem (a quarter of the side) and each halving; "
        "others: after each halving"
    )
    latent: int = Field(ge=8, description="length of the code; a shorter one carries less of whose face it is")
    decoder_channels: Channels = Field(
        description="likeness: channels of the smallest picture, then after each doubling; others: after each "
        "doubling, the first of which all identities share (df, liae: the last is at half of output_size)"
    )
    mask_channels: int = Field(
        default=16, ge=4, description="width of the mask's branch; others than likeness: after its last doubling"
    )
    side_outputs: int = Field(
        default=0,
        ge=0,
        le=3,
        description="how many smaller pictures a decoder gives too while it trains: 1 the half, 2 the quarter as well; "
        "likeness only, and never exported",
    )
    texture: int = Field(
        default=0,
        ge=0,
        le=16,
        description="likeness only: layers of a learnt texture for each identity, which moves with the face and holds "
        "moles, lashes and pores; 0 leaves it out",
    )
    texture_size: int = Field(
        default=192, ge=16, description="its side; one and a half times output_size shows all that the output can"
    )

    @model_validator(mode="after")
    def _sizes_fit(self) -> NetworkSettings:
        halvings = len(self.encoder_channels) + (1 if self.family == "likeness" else 0)
        doublings = len(self.decoder_channels) + (1 if self.family in ("df", "liae") else 0)
        if self.input_size % 2**halvings:
            raise ValueError(f"input_size must be a multiple of {2**halvings}, given that many encoder_channels")
        if self.output_size % 2**doublings:
            raise ValueError(f"output_size must be a multiple of {2**doublings}, given that many decoder_channels")
        if self.family != "likeness" and len(self.decoder_channels) < 2:
            raise ValueError(f"{self.family} needs two decoder_channels or more: the first is shared by all identities")
        if self.family != "likeness" and self.texture:
            raise ValueError(f"{self.family} has no texture: set texture to 0")
        if self.side_outputs and self.family != "likeness":
            raise ValueError(f"{self.family} has no side_outputs, likeness alone has")
        if self.side_outputs and self.output_size >> self.side_outputs < _LEAST_SIDE:
            raise ValueError(
                f"the smallest of side_outputs is less than {_LEAST_SIDE} pixels wide: make output_size larger"
            )
        if self.side_outputs >= len(self.decoder_channels):
            raise ValueError(f"side_outputs can be {len(self.decoder_channels) - 1}, given that many decoder_channels")
        return self


class AugmentationSettings(_Settings):
    """How far a training picture may be from the crop it was made of. Spreads are standard deviations."""

    flip: Share = Field(default=0.5, description="share of pictures that are mirrored, with their answer")
    rotation: float = Field(default=4.0, ge=0.0, le=45.0, description="degrees, input and answer")
    zoom: float = Field(default=0.03, ge=0.0, le=0.5, description="natural logarithm of the scale, input and answer")
    shift: float = Field(default=0.015, ge=0.0, le=0.25, description="shares of the side, input and answer")
    warp: float = Field(
        default=0.02, ge=0.0, le=0.2, description="shift of a 5x5 grid's nodes, shares of the side, input only"
    )
    light: float = Field(default=0.0, ge=0.0, le=1.0, description="log gain and white balance, input and answer alike")
    brightness: float = Field(default=0.12, ge=0.0, le=1.0, description="log gain, input only")
    balance: float = Field(default=0.05, ge=0.0, le=1.0, description="log gain of each channel, input only")
    gamma: float = Field(default=0.12, ge=0.0, le=1.0, description="log exponent, input only")
    saturation: float = Field(default=0.15, ge=0.0, le=1.0, description="log factor, input only")
    surroundings: Share = Field(
        default=0.5,
        description="share of pictures with one colour around the face, input only: what lies behind a person must "
        "not tell the encoder who it is",
    )
    blur: Share = Field(default=0.5, description="greatest share of a blurred copy mixed in, input only")
    noise: float = Field(default=0.01, ge=0.0, le=0.2, description="greatest noise, shares of full scale, input only")
    smear: Share = Field(default=0.0, description="share of pictures blurred as by defocus or motion, input only")
    smear_spread: float = Field(
        default=0.015, gt=0.0, le=0.1, description="greatest standard deviation of that blur, shares of the side"
    )
    resampling: Share = Field(default=0.0, description="share of pictures made smaller and large again, input only")
    resampling_factor: float = Field(default=3.0, ge=1.0, le=16.0, description="greatest factor of that")
    compression: Share = Field(default=0.0, description="share of pictures compressed as JPEG, input only")
    compression_quality: int = Field(
        default=25, ge=1, le=95, description="lowest quality of that, as libjpeg counts; the highest is 95"
    )


class LossSettings(_Settings):
    """Weights of the terms that are added up, and of the places in the picture."""

    l1: Weight = Field(default=1.0, description="absolute difference of colour")
    ssim: Weight = Field(default=0.5, description="1 - SSIM")
    gradient: Weight = Field(default=0.5, description="absolute difference of the colour's finite differences")
    ms_ssim: Weight = Field(default=0.0, description="1 - MS-SSIM, over as many of its five scales as the size has")
    laplacian: Weight = Field(default=0.0, description="absolute difference of the Laplacian pyramids, all bands alike")
    frequency: Weight = Field(
        default=0.0,
        description="focal frequency loss; below a squared error, so small beside the others at equal weight",
    )
    sides: Weight = Field(
        default=0.5, description="weight of all terms but identity on each smaller picture of network.side_outputs"
    )
    identity: Weight = Field(
        default=0.0,
        description="1 - cosine similarity to the answer's embedding by the open pack's recogniser. Two people differ "
        "by about 0.1, but its gradient is no smaller than the others': start well below 1. A network of 29 layers "
        "sees every picture, so it has its price; an evaluation by the same recogniser then tells less, and says so",
    )
    mask: Weight = Field(default=0.25, description="absolute difference of the masks")
    chart: Weight = Field(
        default=5.0, description="of a texture: distance between where landmarks are and where it takes them to be"
    )
    background: Share = Field(default=0.1, description="weight of colour outside the mask, against 1 inside")
    eyes: Weight = Field(default=2.0, description="weight added on the eyes")
    mouth: Weight = Field(default=1.5, description="weight added on the mouth")

    @property
    def judge_colour(self) -> bool:
        """Whether a term has a weight that depends on the answer's colour."""
        return any(getattr(self, term) for term in _OF_COLOUR)

    @model_validator(mode="after")
    def _something_is_lowered(self) -> LossSettings:
        if not self.judge_colour and not self.mask:
            raise ValueError(f"no term has a weight: set one of {', '.join(_OF_COLOUR)} or mask above 0")
        return self


class OptimiserSettings(_Settings):
    """AdamW (Loshchilov and Hutter 2019), warmed up, then along a cosine to zero at the last iteration."""

    learning_rate: float = Field(default=1e-3, gt=0.0, description="at the end of the warm-up")
    warm_up: int = Field(default=50, ge=0, description="iterations, of a budget a quarter at most")
    betas: tuple[Decay, Decay] = Field(default=(0.9, 0.99), description="decay of the moments, each below 1")
    weight_decay: Weight = Field(default=0.01, description="decoupled, on all but biases and textures")
    clip: float = Field(default=1.0, gt=0.0, description="greatest norm of the gradient")
    texture_rate: float = Field(
        default=10.0, gt=0.0, description="of a texture, as a multiple of the learning rate; it never decays"
    )
    average: Share = Field(
        default=0.99, description="decay per iteration of the averaged weights, which are the result"
    )


class AdversarySettings(_Settings):
    """A critic that joins late and sharpens what the other terms leave soft; off unless it has a weight."""

    weight: Weight = Field(default=0.0, description="of the critic's say beside the other terms; 0 leaves it out")
    start: Share = Field(default=0.7, description="share of the iterations after which it joins")
    warm_up: int = Field(default=100, ge=0, description="iterations from joining to the full weight")
    learning_rate: float = Field(default=4e-4, gt=0.0, description="of the critic; the same to the end")
    channels: int = Field(default=32, ge=4, description="of the critic's first layer; doubled at each halving")
    halvings: int = Field(default=3, ge=1, le=5, description="of the picture: 3 judges patches of 38 pixels, 2 of 18")


class BackTranslationSettings(_Settings):
    """Crops that a decoder sees as the other one's decoder draws them, and must give the truth for."""

    share: Share = Field(
        default=0.0, description="of the pair's crops that are first drawn as the other one of the two; 0: none"
    )
    start: Share = Field(default=0.33, description="share of the iterations after which it begins")


class GuardSettings(_Settings):
    """When training is called broken, and what then."""

    jump: float = Field(default=4.0, gt=1.0, description="a loss of this many times its running mean is broken")
    slow_down: float = Field(default=0.5, gt=0.0, lt=1.0, description="the learning rate's factor after going back")
    retries: int = Field(default=5, ge=0, description="how often to go back before giving up")


class BaseSettings(_Settings):
    """A warm start from the shared base, see docs/base.md."""

    path: Path = Field(default=Path("data/base"), description="the base's folder")
    encoder_rate: Share = Field(
        default=0.0,
        description="the encoder's share of the learning rate; at 0 it stays the base's, whose codes carry less of "
        "whose face it is than a pair's own would",
    )
    decoder_rate: Share = Field(
        default=1.0,
        description="the same of the decoders' kernels; below 1 each of their channels has a gain, which learns in "
        "full. At 0 a decoder becomes its person by gains, biases, face at rest and texture alone, and keeps what the "
        "base knows of expressions and turns that the person's footage does not show",
    )


class StopSettings(_Settings):
    """When to end before the last iteration; a rule on losses alone, so the same settings still give the same bytes."""

    patience: int = Field(
        default=0, ge=0, description="looks at held-out faces in a row without improvement that end training; 0: never"
    )
    improvement: float = Field(
        default=0.005,
        ge=0.0,
        lt=1.0,
        description="share of the least held-out loss so far that a look must lie below it to count",
    )


class PresetSettings(_Settings):
    """One way to train: how large, how long, with what."""

    network: NetworkSettings
    base: BaseSettings | None = Field(default=None, description="start from the shared base; without it, from chance")
    iterations: int = Field(ge=1, description="a fixed count, never a time: the same settings give the same bytes")
    batch: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        description="crops of each identity an iteration; auto: the largest power of two that the memory holds, "
        "tried before the first iteration (at most 32 on a CPU)"
    )
    check_every: int = Field(default=25, ge=1, description="iterations between looks: curve, guard, checkpoint")
    judge_every: int = Field(default=250, ge=1, description="iterations between losses on held-out faces")
    stored_size: int = Field(ge=32, description="side that faces are kept at in memory; twice output_size is sharpest")
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="bfloat16: the network's passes in half the bits, weights, losses and averages in float32; on a "
        "CUDA GPU only, a CPU computes in float32 whatever is said here",
    )
    pose_balance: Share = Field(default=0.0, description="0 draws crops alike, 1 draws all poses alike often")
    expression_balance: Share = Field(
        default=0.0, description="the same of expressions: how far mouth and lids are open, and where the eyes look"
    )
    augmentation: AugmentationSettings = AugmentationSettings()
    losses: LossSettings = LossSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    back_translation: BackTranslationSettings = BackTranslationSettings()
    adversary: AdversarySettings = AdversarySettings()
    guard: GuardSettings = GuardSettings()
    stop: StopSettings = StopSettings()

    @model_validator(mode="after")
    def _stored_size_fits(self) -> PresetSettings:
        if self.stored_size % self.network.input_size or self.stored_size % self.network.output_size:
            raise ValueError("stored_size must be a multiple of network.input_size and of network.output_size")
        return self


class TrainingSettings(_Settings):
    """``training`` in params.yaml."""

    preset: str = Field(description="the name under presets to train with")
    seed: int = Field(default=0, ge=0, lt=2**31)
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = Field(default=2, ge=1, description="of the CPU; part of the result, as sums depend on their order")
    budget_minutes: float | None = Field(
        default=None,
        gt=0.0,
        description="ends training after about that long if iterations would take longer: their number, and with it "
        "the learning rate's way to zero, follows from a few measured ones, so the bytes depend on the machine",
    )
    compile: bool = Field(
        default=False,
        description="the network's passes through torch.compile, in one process, with the batch in numbers: minutes at "
        "the start for quicker steps, meant for long trainings on a GPU. Sums are grouped otherwise, so the bytes "
        "are others than without it, and hang on the compiler too (a C++ compiler, on a GPU Triton). On a CPU "
        "compiled passes repeat themselves to the byte, as tests show; on a GPU torch is asked for that, untested",
    )
    deterministic: bool = Field(
        default=True,
        description="on a GPU, only algorithms that repeat themselves to the byte. Without, convolutions are chosen by "
        "the clock and sums are added in any order: the same command ends in other bytes, and so does a run that was "
        "killed and went on. A CPU always repeats itself",
    )
    checkpoint_seconds: float = Field(default=30.0, ge=0.0, description="least time between checkpoints")
    presets: dict[str, PresetSettings] = Field(min_length=1)

    @model_validator(mode="after")
    def _preset_is_there(self) -> TrainingSettings:
        if self.preset not in self.presets:
            raise ValueError(f"preset '{self.preset}' is not among presets: {', '.join(sorted(self.presets))}")
        return self

    @model_validator(mode="after")
    def _can_be_compiled(self) -> TrainingSettings:
        if self.compile and self.chosen.batch == "auto":
            raise ValueError(f"compile needs the batch of preset '{self.preset}' in numbers, it is auto")
        return self

    @property
    def chosen(self) -> PresetSettings:
        """The preset to train with."""
        return self.presets[self.preset]
