"""Words as a picture of how much of each pixel they cover, drawn by Pillow (FreeType)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from fontTools.ttLib import TTFont, TTLibError
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stages.problems import Problem

FONT: Final = Path("data/fonts/label.otf")
"""Letters of Western Europe, Greek, Cyrillic, the Chinese words of a label; ``data/fonts/README.md`` tells more."""

STROKE: Final = 0.02
"""Of the letters' height: so much bolder than the font they are drawn, since video is compressed and seen small."""


def lettering(text: str, height: float, font: Path = FONT) -> NDArray[np.float32]:
    """(h, w) float32 0..1, as wide and high as the words.

    Args:
        text: one line.
        height: of a capital letter, in pixels; Chinese characters are a quarter higher.
        font: a file that FreeType reads.

    Raises:
        Problem: the font is missing, is none, or lacks a letter of the text.
    """
    _require_letters(text, font)
    # a font's size is that of its em square, so how large a capital is has to be measured: at a large size, once
    _, top, _, bottom = _font(font, 1000).getbbox("H", anchor="ls")
    stroke = max(1, round(STROKE * height))
    drawn = _font(font, height * 1000 / (bottom - top))
    left, top, right, bottom = (round(side) for side in drawn.getbbox(text, anchor="ls", stroke_width=stroke))
    canvas = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=drawn, anchor="ls", stroke_width=stroke)
    return np.asarray(canvas, dtype=np.float32) / 255.0


def _font(font: Path, size: float) -> ImageFont.FreeTypeFont:
    # whether Pillow has another layout engine differs between its builds
    return ImageFont.truetype(font, size, layout_engine=ImageFont.Layout.BASIC)


def _require_letters(text: str, font: Path) -> None:
    """Letters that a font lacks are otherwise drawn as empty boxes."""
    try:
        with font.open("rb") as file, TTFont(file, fontNumber=0, lazy=True) as opened:
            known = opened.getBestCmap() or {}
    except FileNotFoundError:
        raise Problem("the font is not there", where=font, mend="restore it, or name another font file") from None
    except (TTLibError, OSError) as error:
        raise Problem(f"it is no font: {error}", where=font, mend="name a TrueType or OpenType file") from error
    lacking = sorted({letter for letter in text if ord(letter) not in known})
    if lacking:
        raise Problem(
            f"the font has no {' '.join(lacking)}",
            where=font,
            mend="name a font that has it at encoding.label.font in params.yaml, or change encoding.label.text",
        )
