"""A piece of a head under assembly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from stages.rendering.mesh import F32, F64, I32, U8


@dataclass(frozen=True)
class Block:
    """Vertices and faces that are added to a head together.

    positions, rest (V, 3) cm; uv (V, 2); faces (F, 3) int32 counted from the block's own first vertex; parts (F,)
    uint8; weld (V,) int32 likewise; neck (V,); units: name -> (rows, deltas) likewise.
    """

    positions: F64
    rest: F64
    uv: F64 | F32
    faces: I32
    parts: U8
    weld: I32
    neck: F32
    units: dict[str, tuple[I32, F32]] = field(default_factory=dict)


def join(blocks: Sequence[Block]) -> tuple[Block, list[tuple[int, int]]]:
    """One block of all, and the (first, end) vertex rows of each."""
    firsts = np.cumsum([0] + [len(block.positions) for block in blocks])
    welds = np.cumsum([0] + [int(block.weld.max()) + 1 for block in blocks])
    units: dict[str, tuple[I32, F32]] = {}
    placed = list(zip(firsts, blocks, strict=False))
    for name in dict.fromkeys(name for block in blocks for name in block.units):
        pieces = [
            (first + block.units[name][0], block.units[name][1]) for first, block in placed if name in block.units
        ]
        rows = np.concatenate([rows for rows, _ in pieces]).astype(np.int32)
        units[name] = rows, np.concatenate([deltas for _, deltas in pieces]).astype(np.float32)
    whole = Block(
        positions=np.concatenate([b.positions for b in blocks]),
        rest=np.concatenate([b.rest for b in blocks]),
        uv=np.concatenate([b.uv for b in blocks]),
        faces=np.concatenate([b.faces + first for first, b in zip(firsts, blocks, strict=False)]).astype(np.int32),
        parts=np.concatenate([b.parts for b in blocks]),
        weld=np.concatenate([b.weld + first for first, b in zip(welds, blocks, strict=False)]).astype(np.int32),
        neck=np.concatenate([b.neck for b in blocks]),
        units=units,
    )
    return whole, [(int(a), int(b)) for a, b in pairwise(firsts)]


def grid_faces(rows: int, columns: int, *, wrap: bool = False) -> I32:
    """Triangles of a grid of rows x columns vertices (row-major); `wrap` joins the last column to the first.

    Counter-clockwise when rows run downward and columns to the right as seen from outside.
    """
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns if wrap else columns - 1), indexing="ij")
    a = row * columns + column
    b = row * columns + (column + 1) % columns
    c, d = a + columns, b + columns
    return np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, c, b), (b, c, d))]).astype(np.int32)
