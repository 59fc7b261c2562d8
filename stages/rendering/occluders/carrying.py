"""How hands and what they hold come before a face, stay there a while and go again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from stages.rendering.identity import Identity
from stages.rendering.mesh import F64, PosedHead
from stages.rendering.occluders import held
from stages.rendering.occluders.hands import FLAT, OPEN, hand
from stages.rendering.occluders.prop import Prop
from stages.rendering.posing import PIVOT, rotation

_BELOW: Final = np.array([0.0, 36.0, 0.0])  # cm, out of the picture
_SWAY: Final = 0.25  # cm


@dataclass(frozen=True)
class Place:
    """Where a thing is held: `shift` (3,) cm from the neck's pivot along the camera's axes, so that it goes where the
    person goes but does not turn with the head; `turn` (3,) degrees of yaw, pitch and roll."""

    shift: F64
    turn: F64


@dataclass(frozen=True)
class Carried:
    """A thing that moves along minimum-jerk paths (Flash and Hogan 1985) from place to place.

    times: (k,) seconds, ascending. shifts, turns: (k, 3), see `Place`. busy: seconds at which it is before the face.
    phases: (2, 3) of the slight sway of whatever is held.
    """

    prop: Prop
    times: F64
    shifts: F64
    turns: F64
    busy: tuple[float, ...]
    phases: F64

    def posed(self, head: PosedHead, seconds: float) -> Prop:
        """The thing in camera space at a time."""
        leg = int(np.clip(np.searchsorted(self.times, seconds, side="right") - 1, 0, len(self.times) - 2))
        s = float(np.clip((seconds - self.times[leg]) / (self.times[leg + 1] - self.times[leg]), 0.0, 1.0))
        share = s**3 * (10.0 - 15.0 * s + 6.0 * s * s)
        shift, turn = (path[leg] + share * (path[leg + 1] - path[leg]) for path in (self.shifts, self.turns))
        sway = _SWAY * np.sin(2 * np.pi * (np.array([[0.31], [0.73]]) * seconds + self.phases)).sum(0)
        pivot = head.translation + head.rotation @ PIVOT
        return self.prop.moved(rotation(*turn.tolist()), pivot + shift + sway)


def carried(kind: str, identity: Identity, rng: np.random.Generator, seconds: float) -> Carried:
    """A hand or a thing in a hand, and its way over a performance.

    Args:
        kind: ``hand``, ``microphone``, ``phone`` or ``cup``.
        identity: whose hand it is.
        rng: draws all else.
        seconds: how long the performance is.
    """
    left = rng.random() < 0.5
    if kind == "hand":
        prop = hand(identity, FLAT if rng.random() < 0.4 else OPEN, rng).moved(np.eye(3), np.array([0.0, -9.0, 0.0]))
    else:
        prop = {"microphone": held.microphone, "phone": held.phone, "cup": held.cup}[kind](identity, rng)
    prop = prop.mirrored() if left else prop
    draw = {"hand": _hand, "microphone": _microphone, "phone": _phone, "cup": _cup}[kind]
    times, shifts, turns, busy = _visits(rng, seconds, lambda: draw(rng, -1.0 if left else 1.0), kind)
    return Carried(prop, times, shifts, turns, busy, rng.random((2, 3)))


def _hand(rng: np.random.Generator, side: float) -> Place:
    """Over any part of the face, the fingers up and inward, back or palm to the camera."""
    shift = np.array([side * rng.uniform(-3.0, 6.5), rng.uniform(-6.0, 8.0), -rng.uniform(16.5, 23.0)])
    over = 180.0 if rng.random() < 0.7 else 0.0
    return Place(shift, np.array([over + rng.normal(0.0, 18.0), rng.normal(0.0, 14.0), -side * rng.uniform(0.0, 65.0)]))


def _microphone(rng: np.random.Generator, side: float) -> Place:
    """Before the mouth or the chin."""
    shift = np.array([side * rng.uniform(-1.5, 3.0), rng.uniform(2.5, 7.0), -rng.uniform(16.0, 20.0)])
    return Place(shift, np.array([rng.normal(0.0, 20.0), rng.uniform(-35.0, 5.0), side * rng.uniform(-10.0, 35.0)]))


def _phone(rng: np.random.Generator, side: float) -> Place:
    """Before the lower or one half of the face."""
    shift = np.array([side * rng.uniform(-2.0, 8.0), rng.uniform(-2.0, 7.0), -rng.uniform(19.0, 26.0)])
    return Place(shift, np.array([rng.normal(0.0, 18.0), rng.normal(0.0, 12.0), rng.normal(0.0, 14.0)]))


def _cup(rng: np.random.Generator, side: float) -> Place:
    """At the lips, tipped."""
    shift = np.array([side * rng.uniform(-1.0, 1.5), rng.uniform(1.5, 4.0), -rng.uniform(16.5, 19.0)])
    return Place(shift, np.array([rng.normal(0.0, 15.0), -rng.uniform(0.0, 30.0), side * rng.uniform(-15.0, 15.0)]))


def _visits(
    rng: np.random.Generator, seconds: float, draw: Callable[[], Place], kind: str
) -> tuple[F64, F64, F64, tuple[float, ...]]:
    """Keys of a way: away, up to a place, there a while with small changes, away again; a hand may also just pass."""
    times, places, busy = [-10.0], [Place(_BELOW, np.zeros(3))], []
    at = float(rng.uniform(-0.6, 0.5))
    while at < seconds:
        place = draw()
        if kind == "hand" and rng.random() < 0.35:
            across = np.array([(30.0 if rng.random() < 0.5 else -30.0), rng.uniform(0.0, 14.0), 0.0])
            takes = rng.uniform(0.6, 1.3)
            ends = [Place(place.shift + across, place.turn), Place(place.shift - across, place.turn)]
            times += [at, at + takes]
            places += ends
            busy.append(at + 0.5 * takes)
            at += takes
        else:
            rise, stay = rng.uniform(0.35, 0.7), rng.uniform(0.7, 2.2)
            away = Place(place.shift + _BELOW, place.turn)
            again = Place(place.shift + rng.normal(0.0, 1.2, 3), place.turn + rng.normal(0.0, 7.0, 3))
            times += [at, at + rise, at + rise + stay, at + 2 * rise + stay]
            places += [away, place, again, away]
            busy += [at + rise, at + rise + 0.5 * stay, at + rise + stay]
            at += 2 * rise + stay
        # what is away comes back from anywhere: the next key follows in the dark
        at += float(rng.uniform(0.25, 0.9))
    times.append(at + 10.0)
    places.append(Place(_BELOW, np.zeros(3)))
    inside = tuple(float(t) for t in busy if 0.0 <= t < seconds)
    return np.array(times), np.stack([p.shift for p in places]), np.stack([p.turn for p in places]), inside
