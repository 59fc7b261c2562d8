"""Who a synthetic performer is: face shape and appearance, from a seed or from a file that overrides any field.

Identities are adults only: age starts at 18. Consecutive seeds are spread by a Kronecker (golden-ratio) sequence over
sex, age, ancestry and skin, so that a handful of seeds already covers the space; everything else is drawn from PCG64.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from stages.problems import Problem, nearest
from stages.rendering.shapes import CONTROLS

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Signed = Annotated[float, Field(ge=-1.0, le=1.0)]
Colour = tuple[Unit, Unit, Unit]
"""A colour as sRGB code values 0..1, non-linear."""

HairStyle = Literal["bald", "buzz", "short", "parted", "curly", "afro", "bob", "long", "bun"]
BeardStyle = Literal["none", "stubble", "moustache", "goatee", "full"]


class Identity(BaseModel):
    """One synthetic performer. All fields are plain numbers, so an identity can be written to and read from YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(ge=0, description="also seeds the noise patterns of skin and hair")

    # Shape
    masculinity: Unit = Field(description="0 female, 1 male")
    age: float = Field(ge=18.0, le=80.0, description="years")
    african: Unit
    asian: Unit
    european: Unit
    weight: Unit = Field(description="0 thin, 0.5 average, 1 heavy")
    shape: dict[str, Signed] = Field(description="face-shape controls by name, see shapes.CONTROLS; absent is 0")

    # Skin
    skin_melanin: Unit = Field(description="0 very fair, 1 very dark")
    skin_redness: Unit = Field(description="haemoglobin: 0 pale, 1 ruddy")
    skin_undertone: Signed = Field(description="-1 cool (pink), 1 warm (yellow)")
    freckles: Unit = Field(description="amount")
    moles: int = Field(ge=0, le=12, description="count on the face")
    wrinkles: Unit = Field(description="depth of forehead, eye and mouth lines")
    blotch: Unit = Field(description="uneven colour")
    pores: Unit = Field(description="fine roughness")
    oiliness: Unit = Field(description="strength of the specular highlight")
    dark_circles: Unit = Field(description="darkness below the eyes")

    # Brows, eyes, lips
    brow_thickness: Unit
    brow_density: Unit
    brow_arch: Signed = Field(description="-1 drooping, 0 flat, 1 arched")
    brow_colour: Colour
    lash_length: Unit
    eyeliner: Unit = Field(description="dark line at the lid's edge, 0 none")
    iris_colour: Colour
    iris_ring: Unit = Field(description="darkness of the limbal ring")
    lip_colour: Colour
    lip_gloss: Unit

    # Hair
    hair_style: HairStyle
    hair_colour: Colour
    hair_length: Unit = Field(description="within the style")
    hair_curl: Unit
    hairline: Unit = Field(description="0 low, 1 receding")
    beard_style: BeardStyle
    beard_density: Unit
    beard_colour: Colour

    clothes_colour: Colour

    @field_validator("shape")
    @classmethod
    def _known_controls(cls, value: dict[str, float]) -> dict[str, float]:
        for name, amount in value.items():
            if name not in CONTROLS:
                raise ValueError(f"unknown shape control {name!r}; known: {', '.join(sorted(CONTROLS))}")
            if CONTROLS[name].one_sided and amount < 0:
                raise ValueError(f"shape control {name!r} goes from 0 to 1, not {amount}")
        return value

    @classmethod
    def from_seed(cls, seed: int) -> Identity:
        """Draw an identity; the same seed gives the same identity on every machine."""
        return cls.model_validate(_draw(seed))

    @classmethod
    def from_settings(cls, seed: int, overrides: dict[str, Any] | None = None, *, where: str = "identity") -> Identity:
        """An identity from a seed, with any field replaced; `shape` is merged control by control.

        Args:
            seed: draws every field that is not replaced.
            overrides: fields by name.
            where: what the fields stand in, for the message of a problem.

        Raises:
            Problem: a field is unknown or out of its range.
        """
        fields = _draw(seed)
        for key, value in (overrides or {}).items():
            both_maps = key == "shape" and isinstance(value, dict)
            fields[key] = {**fields["shape"], **value} if both_maps else value
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            close = f"; {nearest(place, list(cls.model_fields))}" if first["type"] == "extra_forbidden" else ""
            raise Problem(
                f"{first['msg']}{close}",
                where=f"{where}.{place}",
                mend="correct the field, or leave it out to take the seed's value",
            ) from error

    @classmethod
    def from_file(cls, path: Path) -> Identity:
        """Read a YAML file: `seed` and any fields that replace the seed's.

        Raises:
            Problem: the file is missing or no mapping, or a field is unknown or out of its range.
        """
        try:
            fields = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise Problem(f"it cannot be read: {error}", where=path, mend="give a readable YAML file") from error
        if not isinstance(fields, dict) or not isinstance(fields.get("seed", 0), int):
            raise Problem("an identity is a YAML mapping", where=path, mend="write `seed: 1` and any fields")
        return cls.from_settings(fields.pop("seed", 0), fields, where=str(path))


def _draw(seed: int) -> dict[str, Any]:
    rng = np.random.Generator(np.random.PCG64(seed))
    # R3 sequence (Roberts 2018): consecutive seeds are far apart in (ancestry, age, skin)
    plastic = 1.2207440846057596
    spread = (0.5 + (seed + 1) * plastic ** -np.arange(1.0, 4.0)) % 1.0
    male = seed % 2 == 1

    ancestry = np.full(3, 0.0)
    main = int(spread[0] * 3)
    ancestry[main] = 1.0
    ancestry[(main + int(rng.integers(1, 3))) % 3] += rng.choice([0.0, 0.0, 0.5, 1.0])
    ancestry /= ancestry.sum()
    age = 19.0 + 56.0 * spread[1] ** 1.4
    melanin = np.clip(ancestry @ [0.78, 0.34, 0.18] + (spread[2] - 0.5) * 0.36, 0.02, 0.97)

    hair = _hair_colour(rng, melanin, age)
    dark_hair = tuple(float(c) * 0.75 for c in hair)
    styles: list[HairStyle] = (
        ["bald", "buzz", "short", "short", "parted", "curly", "long"]
        if male
        else ["bob", "long", "long", "bun", "parted", "curly", "short"]
    )
    if ancestry[0] > 0.6:
        styles = ["buzz", "bald", "afro", "short"] if male else ["afro", "curly", "bun", "buzz", "long"]
    beards: list[BeardStyle] = ["none", "none", "stubble", "stubble", "moustache", "goatee", "full"]

    return {
        "seed": seed,
        "masculinity": float(rng.uniform(0.78, 1.0) if male else rng.uniform(0.0, 0.22)),
        "age": float(age),
        "african": float(ancestry[0]),
        "asian": float(ancestry[1]),
        "european": float(ancestry[2]),
        "weight": float(rng.beta(1.6, 1.8)),
        "shape": _draw_shape(rng),
        "skin_melanin": float(melanin),
        "skin_redness": float(rng.uniform(0.1, 0.9)),
        "skin_undertone": float(rng.uniform(-0.8, 0.8)),
        "freckles": float(max(0.0, rng.uniform(-1.0, 1.0)) * (1.0 - melanin)),
        "moles": int(rng.integers(0, 7)),
        "wrinkles": float(np.clip((age - 28.0) / 45.0 + rng.normal(0.0, 0.08), 0.03, 1.0)),
        "blotch": float(rng.uniform(0.15, 0.8)),
        "pores": float(rng.uniform(0.25, 1.0)),
        "oiliness": float(rng.uniform(0.1, 0.75)),
        "dark_circles": float(rng.uniform(0.0, 0.8)),
        "brow_thickness": float(rng.uniform(0.35, 1.0) if male else rng.uniform(0.05, 0.7)),
        "brow_density": float(rng.uniform(0.4, 1.0)),
        "brow_arch": float(rng.uniform(-0.7, 0.5) if male else rng.uniform(-0.3, 1.0)),
        "brow_colour": dark_hair,
        "lash_length": float(rng.uniform(0.1, 0.5) if male else rng.uniform(0.4, 1.0)),
        "eyeliner": float(0.0 if male else max(0.0, rng.uniform(-0.6, 1.0))),
        "iris_colour": _iris_colour(rng, melanin),
        "iris_ring": float(rng.uniform(0.3, 1.0)),
        "lip_colour": _lip_colour(rng, melanin, male),
        "lip_gloss": float(rng.uniform(0.1, 0.4) if male else rng.uniform(0.15, 0.8)),
        "hair_style": styles[int(rng.integers(len(styles)))],
        "hair_colour": hair,
        "hair_length": float(rng.uniform(0.0, 1.0)),
        "hair_curl": float(np.clip(rng.uniform(0.0, 0.7) + 0.5 * ancestry[0], 0.0, 1.0)),
        "hairline": float(rng.uniform(0.2, 0.9) * min(1.0, age / 60.0) if male else rng.uniform(0.0, 0.45)),
        "beard_style": beards[int(rng.integers(len(beards)))] if male else "none",
        "beard_density": float(rng.uniform(0.35, 1.0)),
        "beard_colour": dark_hair,
        "clothes_colour": tuple(float(c) for c in rng.uniform(0.05, 0.75, 3)),
    }


def _draw_shape(rng: np.random.Generator) -> dict[str, float]:
    """Face-shape coefficients: arcsine-like, so that most controls lie away from the mean."""
    shape: dict[str, float] = {}
    head_form = rng.choice([name for name, c in CONTROLS.items() if c.one_sided and c.folder == "head"])
    ear_form = rng.choice([name for name, c in CONTROLS.items() if c.one_sided and c.folder == "ears"])
    for name, control in CONTROLS.items():
        amount = control.spread * np.sin(np.pi * (rng.random() - 0.5))
        if control.one_sided:
            # only one of the whole-head forms (and one of the ear forms) at a time: they are alternatives
            amount = abs(amount) if name in (head_form, ear_form, "chin-triangle") else 0.0
        if amount:
            shape[name] = round(float(amount), 4)
    return shape


def _hair_colour(rng: np.random.Generator, melanin: float, age: float) -> tuple[float, ...]:
    """sRGB hair colour; fair colours only with fair skin, greying with age."""
    palette = np.array(
        [
            [0.06, 0.05, 0.045],  # black
            [0.14, 0.09, 0.06],  # dark brown
            [0.30, 0.19, 0.11],  # brown
            [0.45, 0.22, 0.10],  # auburn
            [0.62, 0.33, 0.14],  # red
            [0.62, 0.48, 0.29],  # dark blond
            [0.80, 0.68, 0.45],  # blond
        ]
    )
    fairest = 7 if melanin < 0.28 else 4 if melanin < 0.42 else 2
    colour = palette[int(rng.integers(fairest))] * rng.uniform(0.85, 1.15)
    grey = np.clip((age - 42.0) / 30.0 + rng.normal(0.0, 0.2), 0.0, 0.95) if age > 35 else 0.0
    colour = colour * (1.0 - grey) + np.array([0.72, 0.71, 0.70]) * grey
    return tuple(float(c) for c in np.clip(colour, 0.0, 1.0))


def _iris_colour(rng: np.random.Generator, melanin: float) -> tuple[float, ...]:
    palette = np.array(
        [
            [0.16, 0.09, 0.05],  # dark brown
            [0.29, 0.17, 0.08],  # brown
            [0.42, 0.30, 0.13],  # hazel
            [0.33, 0.42, 0.22],  # green
            [0.40, 0.47, 0.50],  # grey
            [0.28, 0.45, 0.62],  # blue
        ]
    )
    lightest = 6 if melanin < 0.3 else 3 if melanin < 0.45 else 2
    colour = palette[int(rng.integers(lightest))] * rng.uniform(0.85, 1.2)
    return tuple(float(c) for c in np.clip(colour, 0.0, 1.0))


def _lip_colour(rng: np.random.Generator, melanin: float, male: bool) -> tuple[float, ...]:
    natural = np.array([0.74, 0.44, 0.41]) * (1.0 - melanin) + np.array([0.36, 0.20, 0.19]) * melanin
    painted = np.array([[0.62, 0.08, 0.12], [0.72, 0.24, 0.32], [0.45, 0.07, 0.16]])[int(rng.integers(3))]
    amount = 0.0 if male else max(0.0, rng.uniform(-0.6, 0.9))
    colour = natural * (1.0 - amount) + painted * amount + rng.uniform(-0.05, 0.05, 3)
    return tuple(float(c) for c in np.clip(colour, 0.0, 1.0))
