"""What is done to a converted face so that it looks as if the target's camera had seen it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.compositing import focus, motion, relighting, sharpness
from stages.compositing.recolouring import Recolouring
from stages.compositing.tint import Tint
from stages.compositing.veil import Veil
from stages.compositing.whites import Whites

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Match:
    """What is done to one converted crop.

    Attributes:
        colours: the map of its colours.
        detail: factor of its fine detail.
        smear: (2,), how far it is smeared, in shares of the crop; None leaves it.
        light: (GRID, GRID) float32, what its light is multiplied by (see :func:`stages.compositing.relighting.gains`);
            None leaves it.
        whites: how eyes are moved in place of the map; None if as all else.
        tint: which of its colours it loses; None if none.
        veil: what takes its contrast; None if nothing.
        blur: sigma of a blur that puts it out of focus, as a share of the crop.
    """

    colours: Recolouring
    detail: float
    light: Floats | None = None
    smear: NDArray[np.float64] | None = None
    whites: Whites | None = None
    tint: Tint | None = None
    veil: Veil | None = None
    blur: float = 0.0

    def applied(self, crop: NDArray[np.uint8], outline: NDArray[np.float64]) -> Floats:
        """The crop (r, r, 3) uint8, matched but for its focus, as float32 0..1.

        ``outline`` is its landmarks, (478, 2) in the unit crop.
        """
        rgb = crop.astype(np.float32) / np.float32(255.0)
        if self.smear is not None:
            rgb = motion.smear(rgb, len(crop) * self.smear)
        moved = self.colours.applied(rgb)
        rgb = moved if self.whites is None else self.whites.applied(moved, rgb, outline)
        for drawn in (self.tint, self.veil):
            rgb = rgb if drawn is None else drawn.applied(rgb)
        if self.light is not None:
            rgb = relighting.relit(rgb, self.light)
        return sharpness.with_detail(rgb, self.detail)

    def out_of_focus(self, rgb: Floats) -> Floats:
        """A crop (r, r, 3) whose face goes on where none was shown: a blur would draw what was there into the face."""
        return focus.blurred(rgb, self.blur)
