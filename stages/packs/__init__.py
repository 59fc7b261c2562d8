"""Packs: the networks that find, describe and recognise faces, each with its origin, licence and hash.

The pack "open" lies in the project under permissive licences and needs no download. Any other name is one of
InsightFace's own packs, whose weights may be used for non-commercial research only.
"""

from stages.packs.detector import Detector, Found
from stages.packs.landmarker import Landmarker
from stages.packs.pack import Pack, open_pack
from stages.packs.recogniser import Recogniser, arcface_transform
from stages.topology import five_points

__all__ = [
    "Detector",
    "Found",
    "Landmarker",
    "Pack",
    "Recogniser",
    "arcface_transform",
    "five_points",
    "open_pack",
]
