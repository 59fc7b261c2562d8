"""A small scene in which three people pass each other."""

from __future__ import annotations

from stages.bench.crowd import Mark, Role, Scene

CROSSING = Scene(
    seed=7,
    frames=36,
    width=480,
    height=270,
    roles=(
        Role("near", 21, 95.0, (Mark(0.0, -18.0, 10.0), Mark(0.7, -18.0, 45.0), Mark(1.4, 14.0, 20.0))),
        Role("middle", 34, 140.0, (Mark(0.0, -55.0, 35.0), Mark(1.3, 45.0, 40.0))),
        Role("far", 47, 190.0, (Mark(0.0, 30.0, -20.0), Mark(1.4, 10.0, 30.0)), below=12.0),
    ),
)
"""Faces of about 110, 75 and 55 pixels. The middle one passes behind the near one and before the far one, which the
near one covers at the end."""
