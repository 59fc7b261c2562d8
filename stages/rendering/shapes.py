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
        0.32,
        """
        head-angle:.23 head-back-scale-depth:.23 head-fat:.36 head-scale-depth:.27 head-scale-horiz:.32
        head-scale-vert:.27 head-diamond+ head-invertedtriangular+ head-oval+ head-rectangular+
        head-round+ head-square+ head-triangular+
        """,
    ),
    (
        "forehead",
        False,
        0.32,
        """
        forehead-nubian forehead-scale-vert:.18 forehead-temple:.45 forehead-trans
        """,
    ),
    (
        "eyebrows",
        False,
        0.45,
        """
        eyebrows-angle eyebrows-trans-depth:.54 eyebrows-trans-vert
        """,
    ),
    (
        "eyes",
        True,
        0.41,
        """
        eye-bag eye-bag-height eye-corner1 eye-corner2 eye-epicanthus:.45 eye-eyefold-angle
        eye-eyefold-curve eye-eyefold-vert eye-height1:.36 eye-height2:.36 eye-height3:.36 eye-push1:.45
        eye-push2:.45 eye-scale:.5 eye-trans-vert:.54 eye-trans-horiz:.68
        """,
    ),
    (
        "nose",
        False,
        0.39,
        """
        nose-base nose-compression:.16 nose-curve nose-flaring nose-greek:.47 nose-hump
        nose-nostrils-angle nose-nostrils-width nose-point nose-point-width nose-scale-depth
        nose-scale-horiz nose-scale-vert nose-septumangle nose-trans-depth:.2 nose-trans-vert:.47
        nose-volume nose-width1 nose-width2 nose-width3
        """,
    ),
    (
        "mouth",
        False,
        0.41,
        """
        mouth-angles:.45 mouth-cupidsbow mouth-cupidsbow-width mouth-dimples:.45 mouth-laugh-lines:.45
        mouth-lowerlip-ext:.36 mouth-lowerlip-height mouth-lowerlip-middle:.36 mouth-lowerlip-volume
        mouth-lowerlip-width mouth-philtrum-volume mouth-scale-depth:.36 mouth-scale-horiz
        mouth-scale-vert mouth-trans-depth:.36 mouth-trans-vert:.54 mouth-upperlip-ext:.36
        mouth-upperlip-height mouth-upperlip-middle:.36 mouth-upperlip-volume mouth-upperlip-width
        """,
    ),
    (
        "chin",
        False,
        0.41,
        """
        chin-bones chin-cleft:.45 chin-height chin-jaw-drop chin-prognathism:.45 chin-prominent chin-width
        chin-triangle+
        """,
    ),
    (
        "cheek",
        True,
        0.45,
        """
        cheek-bones cheek-inner cheek-trans cheek-volume
        """,
    ),
    (
        "ears",
        True,
        0.54,
        """
        ear-flap ear-lobe ear-rot ear-scale ear-scale-depth ear-scale-vert ear-trans-depth:.36
        ear-trans-vert:.36 ear-wing ear-shape-round+ ear-shape-square+ ear-shape-triangle+
        """,
    ),
    (
        "neck",
        False,
        0.45,
        """
        neck-double neck-scale-depth:.36 neck-scale-horiz:.36 neck-scale-vert:.36 measure-neck-circ:.36
        """,
    ),
    (
        "asym",
        False,
        0.27,
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
