"""All that comes before the face in one performance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from stages.rendering import noise
from stages.rendering.identity import Identity
from stages.rendering.mesh import Hair, Head, PosedHead
from stages.rendering.occluders.carrying import Carried, carried
from stages.rendering.occluders.fringe import Fringe
from stages.rendering.occluders.glasses import glasses
from stages.rendering.occluders.prop import Prop, joined

Kind = Literal["glasses", "hand", "microphone", "phone", "cup", "fringe"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Covering:
    """What is worn, what is carried and what hair hangs loose.

    worn: in head space. carried: each along its own way. fringe: of the head's own hair.
    """

    worn: tuple[Prop, ...] = ()
    carried: tuple[Carried, ...] = ()
    fringe: Fringe | None = None

    @classmethod
    def of(cls, asked: Sequence[tuple[Kind, int]], identity: Identity, head: Head, seconds: float) -> Covering:
        """What was asked for, each by its kind and seed; the same gives the same.

        Args:
            asked: at most one fringe counts, the last.
            identity: whose hands they are.
            head: on which glasses sit and a fringe grows.
            seconds: how long the performance is.
        """
        worn, borne, fringe = [], [], None
        for kind, seed in asked:
            rng = noise.generator(seed, kind)
            if kind == "glasses":
                worn.append(glasses(head, rng))
            elif kind == "fringe":
                fringe = Fringe.of(head, rng)
            else:
                borne.append(carried(kind, identity, rng, seconds))
        return cls(tuple(worn), tuple(borne), fringe)

    def hair_with(self, hair: Hair | None) -> Hair | None:
        """A performer's hair with what hangs loose."""
        return hair if self.fringe is None else self.fringe.on(hair)

    def over(self, posed: PosedHead, seconds: float) -> tuple[PosedHead, Prop | None]:
        """A posed head (whose hair is `hair_with`) and what comes before it at a time, in camera space."""
        props = [prop.moved(posed.rotation, posed.translation) for prop in self.worn]
        props += [thing.posed(posed, seconds) for thing in self.carried]
        moved = posed if self.fringe is None else self.fringe.swung(posed, seconds)
        return moved, joined(props) if props else None
