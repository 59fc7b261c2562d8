"""What can be set about compositing, with the defaults and why they are so."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MaskSettings(BaseModel):
    """Where the converted face replaces the target. Lengths are shares of the face size (see ``masks.face_size``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decoder: bool = Field(default=True, description="keep to the mask that the decoder gives with its picture")
    hull: bool = Field(default=True, description="keep to the convex hull of the target's landmarks")
    grow: float = Field(
        default=0.03,
        ge=-0.25,
        le=0.25,
        description="moves the edge outwards, or inwards if negative; both masks end on the jaw line, so growing much "
        "paints over neck and background",
    )
    feather: float = Field(
        default=0.07,
        ge=0.0,
        le=0.5,
        description="width of the soft edge, all of it inside the grown edge; 0 is a hard edge, and much more than "
        "the default lets the target's brows shine through at the temples of a turned head, and its jaw along the edge",
    )
    steady: float = Field(
        default=0.06,
        ge=0.0,
        le=2.0,
        description="seconds (sigma) over which the mask is smoothed within a shot; 0 is frame by frame",
    )
    occlusion: Literal["network", "none"] = Field(
        default="network",
        description="network: what passes before the face stays the target's, as a small network sees it "
        "(visibility.md); none: it is painted over",
    )
    occlusion_steady: float = Field(
        default=0.02,
        ge=0.0,
        le=0.5,
        description="seconds (sigma) over which what the network sees is smoothed within a shot: much less than the "
        "mask, since hands are quick; at twice the default a hand that crosses its own width in a frame is lost",
    )


class ColourSettings(BaseModel):
    """How the converted face takes on the target's colours."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["none", "mean-deviation", "covariance", "histogram", "sliced"] = Field(
        default="covariance",
        description="none; mean-deviation of each Lab channel (Reinhard 2001); covariance: the linear map that moves "
        "mean and covariance of log RGB with the least change (Pitie and Kokaram 2007), beyond skin's colours a shift; "
        "histogram: that of each channel; sliced: those along many directions, so that clouds of colours match (Pitie "
        "et al. 2007)",
    )
    strength: float = Field(default=1.0, ge=0.0, le=1.0, description="share of the transfer that is applied")
    steady: float = Field(
        default=0.2,
        ge=0.0,
        le=10.0,
        description="seconds (sigma) over which the statistics are smoothed within a shot; 0: not at all",
    )
    whites: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="how far eyes are moved by what the whites of both people's eyes differ by, in place of "
        "what their skins do; 0: they go with the skin",
    )
    cast: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="how far lips, brows and mouth, of whose colours skin says nothing, take on the colour of the "
        "light, as the whites of eyes tell it; of method covariance",
    )
    veil: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="how far a face loses its contrast with its target, in a fade to white, in fog or a flare; 0: "
        "brows and lips stay as dark as they are",
    )
    tint: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="how far a face loses colours where its target has hardly any: in black and white, in sepia or "
        "under a strong grade; 0: it keeps its own lips and eyes there",
    )


class LightSettings(BaseModel):
    """How light that falls on the target falls on the converted face, too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["none", "low-frequency"] = Field(
        default="low-frequency",
        description="none; low-frequency: shading that changes over a shot, or falls on one side of the face only, is "
        "brought to the target's (compositing.md)",
    )
    scale: float = Field(
        default=0.1,
        ge=0.08,
        le=1.0,
        description="sigma of the local means that count as shading, as a share of the face size; smaller brings over "
        "narrower shadows, and with them what is no light",
    )
    strength: float = Field(default=1.0, ge=0.0, le=1.0, description="share of the transfer that is applied")
    steady: float = Field(
        default=0.04,
        ge=0.0,
        le=2.0,
        description="seconds (sigma) over which the shading is smoothed within a shot: short, since light may be quick",
    )


class BlendSettings(BaseModel):
    """How the two pictures are joined along the mask."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["alpha", "multi-band", "gradient"] = Field(
        default="multi-band",
        description="alpha: one soft edge for all detail; multi-band: wide for shading, narrow for texture "
        "(Burt and Adelson 1983); gradient: the face's own gradients, with the target's values along the middle of the "
        "mask's soft edge (Perez et al. 2003)",
    )
    bands: int = Field(
        default=3, ge=2, le=8, description="levels of the pyramid; fewer where the face is too small for them"
    )
    opacity: float = Field(
        default=1.0, ge=0.0, le=1.0, description="of the whole replacement; below 1 the target shines through"
    )


class CompositingSettings(BaseModel):
    """Settings of the stage ``compositing``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mask: MaskSettings = MaskSettings()
    colour: ColourSettings = ColourSettings()
    light: LightSettings = LightSettings()
    blend: BlendSettings = BlendSettings()
    sharpness: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="how far the face's fine detail is brought to the strength of the target's (0: left as it is); "
        "it lifts or softens what is there, right or wrong, and invents none; what `focus` blurs is left to that",
    )
    focus: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="how far a face that is sharper than its target is blurred as the target is, where that is out of "
        "focus (0: left as it is)",
    )
    motion_blur: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="how far a face that moves is smeared along its way as the target is (0: left as it is); for how "
        "long the shutter was open is measured of each shot (compositing.md)",
    )
    grain: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="how far the face gets the target's own grain, camera's and codec's, and loses what it has more "
        "than that (0: left as it is)",
    )
    texture: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="how far the target's skin texture, as fine as its grain, comes over with the grain: for faces "
        "much larger than the model, whose skin would be smooth; what shows is the target's skin",
    )
