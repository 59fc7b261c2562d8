"""Things that a hand holds before a face: a microphone, a phone, a cup."""

from __future__ import annotations

import numpy as np

from stages.rendering.identity import Identity
from stages.rendering.mesh import F64, Part
from stages.rendering.occluders.hands import FLAT, ROUND_THIN, ROUND_WIDE, hand
from stages.rendering.occluders.prop import Finish, Prop, joined
from stages.rendering.occluders.solids import box, turned

# hand space (see `hands`) to a space whose y axis runs through the closed fist, up where the thumb is
_FIST: F64 = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def _fist(palm: Prop, radius: float, droop: float, height: float) -> Prop:
    """A hand closed round the y axis at a height, its forearm aside and `droop` degrees down."""
    round_axis = palm.moved(_FIST, np.array([8.2, 0.0, -radius]))
    c, s = np.cos(np.radians(-droop)), np.sin(np.radians(-droop))
    return round_axis.moved(np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]), np.array([0.0, height, 0.0]))


def microphone(identity: Identity, rng: np.random.Generator) -> Prop:
    """A hand microphone in a fist: its head's middle is the origin, y up, seen from +z."""
    length, ball = rng.uniform(11.0, 15.0), rng.uniform(2.1, 2.8)
    body = [(-length - ball, 0.0), (-length - ball, 0.95), (-ball - 2.0, 1.25), (-0.8 * ball, 1.6), (-0.7 * ball, 0.0)]
    up = np.linspace(-0.75, 1.0, 16)
    head = [(-0.75 * ball, 0.0), *((ball * u, ball * np.sqrt(max(1.0 - u * u, 0.0))) for u in up)]
    dark = rng.uniform(0.01, 0.06)
    # foam in a colour, or a metal grille
    foam = rng.random() < 0.5
    top = Finish(tuple(rng.uniform(0.01, 0.35, 3)) if foam else (0.2, 0.2, 0.21), 0.9 if foam else 0.4,
                 0.3 if foam else 3.0, grain=0.9)  # fmt: skip
    # the fist closes round the body, well below the head
    fist = _fist(hand(identity, ROUND_THIN, rng), 2.1, rng.uniform(20.0, 50.0), -ball - rng.uniform(5.0, 7.5))
    return joined(
        [
            Prop.of(*turned(body), Finish((dark, dark, dark), 0.45, 0.8, grain=0.1), Part.OBJECT),
            Prop.of(*turned(head), top, Part.OBJECT),
            fist,
        ]
    )


def phone(identity: Identity, rng: np.random.Generator) -> Prop:
    """A phone held up, its back towards +z: the middle of its upper half is the origin, y up."""
    half = (rng.uniform(3.3, 3.9), rng.uniform(6.8, 8.0), 0.42)
    points, faces = box(half, 0.9)
    case = Finish(tuple(rng.uniform(0.01, 0.6, 3) if rng.random() < 0.6 else np.full(3, 0.015)), 0.3, 1.2)
    eye_points, eye_faces = box((0.85, 0.85, 0.1), 0.4)
    camera = Finish((0.01, 0.01, 0.012), 0.12, 2.0)
    back = np.array([[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]])  # the palm towards the phone
    shift = np.array([0.0, -0.45 * half[1], 0.0])
    corner = np.array([half[0] - 1.5, 0.5 * half[1] - 1.6, 0.5])
    palm = hand(identity, FLAT, rng).moved(back, np.array([0.3, -half[1] - 4.2, 2.0]))
    return joined(
        [
            Prop.of(points + shift, faces, case, Part.OBJECT),
            Prop.of(eye_points + corner, eye_faces, camera, Part.OBJECT),
            palm,
        ]
    )


def cup(identity: Identity, rng: np.random.Generator) -> Prop:
    """A cup in a hand: the middle of its rim is the origin, y up, seen from +z."""
    top, bottom, tall = rng.uniform(3.6, 4.3), rng.uniform(2.6, 3.3), rng.uniform(8.5, 11.0)
    profile = [(-tall, 0.0), (-tall, bottom), (-0.3, top), (0.0, top + 0.15), (0.0, top - 0.15), (-1.0, top - 0.4),
               (-1.0, 0.0)]  # fmt: skip
    points, faces = turned(profile)
    paint = np.tile(Finish(tuple(rng.uniform(0.05, 0.75, 3)), 0.4, 0.9).row(), (len(points), 1))
    fist = _fist(hand(identity, ROUND_WIDE, rng), bottom + 1.4, rng.uniform(10.0, 40.0), -0.62 * tall)
    return joined([Prop.of(points, faces, paint, Part.OBJECT), fist])
