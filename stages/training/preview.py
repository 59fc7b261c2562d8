"""The sheet to look at: how fixed held-out faces of every identity come out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stages.atomic import whole_file
from stages.picture_bytes import png
from stages.training.augment import plain
from stages.training.faces import Faces
from stages.training.judge import evenly
from stages.training.networks import Network
from stages.training.settings import NetworkSettings

_COLUMNS = 8
_TITLE = 18
"""Height of a row's title, pixels."""


Row = tuple[str, torch.Tensor]
"""A title, and pictures (n, 3, r, r) 0..1."""


@torch.no_grad()
def preview_rows(
    network: Network, held_out: Mapping[str, Faces], settings: NetworkSettings, companions: Collection[str] = ()
) -> list[Row]:
    """For each identity: its faces, their reconstruction, the swap to every other identity, and that swap's mask.

    Companions are shown as themselves only.
    """
    rows: list[Row] = []
    for name, faces in held_out.items():
        batch = plain(faces.take(evenly(len(faces), _COLUMNS)), settings.input_size, settings.output_size)
        rows.append((f"{name}: held-out faces", batch.rgb))
        rows.append((f"{name}: reconstruction", network.swap(batch.crops, name).rgb))
        for other in held_out:
            if other != name and not {name, other} & set(companions):
                swapped = network.swap(batch.crops, other)
                rows.append((f"{other} on {name}", swapped.rgb))
                rows.append((f"{other} on {name}: mask", swapped.mask.expand(-1, 3, -1, -1)))
    return rows


def sheet_of(rows: Sequence[Row], largest: int | None = None) -> NDArray[np.uint8]:
    """The rows below each other.

    Args:
        rows: see :func:`preview_rows`.
        largest: side that larger pictures are scaled down to, pixels; None leaves all as they are.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    drawn = [_row(title, pictures, largest) for title, pictures in rows]
    width = max(row.shape[1] for row in drawn)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in drawn])


def write_sheet(sheet: NDArray[np.uint8], path: Path) -> None:
    """As PNG, whole or not at all."""
    with whole_file(path) as scratch:
        scratch.write_bytes(png(sheet, path))


def _row(title: str, pictures: torch.Tensor, largest: int | None) -> NDArray[np.uint8]:
    """Pictures (n, 3, r, r) 0..1 side by side under a title."""
    line = torch.cat(list(pictures), dim=2).permute(1, 2, 0)
    shown = (line.cpu().numpy() * 255.0).round().astype(np.uint8)
    if largest is not None and shown.shape[0] > largest:
        shown = np.asarray(
            cv2.resize(shown, (len(pictures) * largest, largest), interpolation=cv2.INTER_AREA), np.uint8
        )
    return np.concatenate([title_bar(title, shown.shape[1]), shown])


def title_bar(title: str, width: int) -> NDArray[np.uint8]:
    """Light letters on black, (18, width, 3) uint8."""
    head = np.zeros((_TITLE, width, 3), np.uint8)
    cv2.putText(head, title, (4, _TITLE - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA)
    return head
