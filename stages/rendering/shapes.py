"""Names, directions and spreads of the face-shape controls of an identity.

A control moves the neutral head along one direction of MakeHuman's CC0 target set. Most are made of two targets, one
for each sign; left and right targets are driven together, and the `asym-` controls then break the symmetry as real
faces do. Spreads are the half-widths of the distribution that a seed draws from: chosen by eye so that identities lie
far from the mean head and still look like adults.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Control:
    """One face-shape control.

    `folder` is the MakeHuman target folder, `spread` the half-width of the seed's distribution (0..1), `one_sided`
    says that only 0..1 exists (a single target), `paired` that a left and a right target are driven together.
    """

    name: str
    folder: str
    spread: float
    one_sided: bool = False
    paired: bool = False


# Folder, whether its targets come in pairs, and the spread of its controls. Then a control a word: a colon and its own
# spread where it has one, a trailing + where there is only one side.
_TABLE: tuple[tuple[str, bool, float, str], ...] = (
    (
        "head",
        False,
        0.35,
        """
        head-angle:.25 head-back-scale-depth:.25 head-fat:.4 head-scale-depth:.3 head-scale-horiz:.35
        head-scale-vert:.3 head-diamond+ head-invertedtriangular+ head-oval+ head-rectangular+
        head-round+ head-square+ head-triangular+
        """,
    ),
    (
        "forehead",
        False,
        0.35,
        """
        forehead-nubian forehead-scale-vert:.2 forehead-temple:.5 forehead-trans
        """,
    ),
    (
        "eyebrows",
        False,
        0.5,
        """
        eyebrows-angle eyebrows-trans-depth:.6 eyebrows-trans-vert
        """,
    ),
    (
        "eyes",
        True,
        0.45,
        """
        eye-bag eye-bag-height eye-corner1 eye-corner2 eye-epicanthus:.5 eye-eyefold-angle
        eye-eyefold-curve eye-eyefold-vert eye-height1:.4 eye-height2:.4 eye-height3:.4 eye-push1:.5
        eye-push2:.5 eye-scale:.55 eye-trans-vert:.6 eye-trans-horiz:.75
        """,
    ),
    (
        "nose",
        False,
        0.5,
        """
        nose-base nose-compression:.2 nose-curve nose-flaring nose-greek:.6 nose-hump
        nose-nostrils-angle nose-nostrils-width nose-point nose-point-width nose-scale-depth
        nose-scale-horiz nose-scale-vert nose-septumangle nose-trans-depth:.25 nose-trans-vert:.6
        nose-volume nose-width1 nose-width2 nose-width3
        """,
    ),
    (
        "mouth",
        False,
        0.45,
        """
        mouth-angles:.5 mouth-cupidsbow mouth-cupidsbow-width mouth-dimples:.5 mouth-laugh-lines:.5
        mouth-lowerlip-ext:.4 mouth-lowerlip-height mouth-lowerlip-middle:.4 mouth-lowerlip-volume
        mouth-lowerlip-width mouth-philtrum-volume mouth-scale-depth:.4 mouth-scale-horiz
        mouth-scale-vert mouth-trans-depth:.4 mouth-trans-vert:.6 mouth-upperlip-ext:.4
        mouth-upperlip-height mouth-upperlip-middle:.4 mouth-upperlip-volume mouth-upperlip-width
        """,
    ),
    (
        "chin",
        False,
        0.45,
        """
        chin-bones chin-cleft:.5 chin-height chin-jaw-drop chin-prognathism:.5 chin-prominent chin-width
        chin-triangle+
        """,
    ),
    (
        "cheek",
        True,
        0.5,
        """
        cheek-bones cheek-inner cheek-trans cheek-volume
        """,
    ),
    (
        "ears",
        True,
        0.6,
        """
        ear-flap ear-lobe ear-rot ear-scale ear-scale-depth ear-scale-vert ear-trans-depth:.4
        ear-trans-vert:.4 ear-wing ear-shape-round+ ear-shape-square+ ear-shape-triangle+
        """,
    ),
    (
        "neck",
        False,
        0.5,
        """
        neck-double neck-scale-depth:.4 neck-scale-horiz:.4 neck-scale-vert:.4 measure-neck-circ:.4
        """,
    ),
    (
        "asym",
        False,
        0.3,
        """
        asym-brown-1 asym-brown-2 asym-cheek-1 asym-cheek-2 asym-ear-1 asym-ear-2 asym-eye-1 asym-eye-2
        asym-eye-3 asym-eye-4 asym-jaw-1 asym-jaw-2 asym-jaw-3 asym-mouth-1 asym-mouth-2 asym-nose-1
        asym-nose-2 asym-nose-3 asym-nose-4 asym-temple-1 asym-top-1
        """,
    ),
)


def _parse() -> dict[str, Control]:
    controls: dict[str, Control] = {}
    for folder, paired, spread, words in _TABLE:
        for word in words.split():
            name, _, own = word.partition(":")
            one_sided = name.endswith("+")
            name = name.rstrip("+")
            controls[name] = Control(name, folder, float(own) if own else spread, one_sided, paired)
    return controls


CONTROLS: dict[str, Control] = _parse()
