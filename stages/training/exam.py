"""Pictures that a network must draw, with the right answers: held-out faces, and swaps whose truth was rendered.

Every network is judged at one size, whatever its own: its answer is brought to it before it is compared. Figures are
then those that :mod:`stages.evaluation` gives for a converted crop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stages import geometry
from stages.artifacts.alignments import Alignments
from stages.artifacts.frames import Frames
from stages.artifacts.swap_model import SwapModel
from stages.artifacts.truth import Truth
from stages.fidelity import Mask, Picture, face_labels, face_mask_in_crop, psnr, ssim
from stages.settings import Swap
from stages.training.faces import Faces
from stages.training.judge import evenly
from stages.training.networks import Network
from stages.training.settings import PresetSettings
from stages.video import NativeFrame

_BATCH = 16


@dataclass(frozen=True)
class Exam:
    """What one identity's half of a network is asked.

    Attributes:
        identity: whose likeness is wanted.
        crops: of anyone, each (c, c, 3) uint8 RGB.
        right: the answers, each (r, r, 3) uint8 RGB.
        masks: where they count, each (r, r) bool.
    """

    identity: str
    crops: Sequence[Picture]
    right: Sequence[Picture]
    masks: Sequence[Mask]


def reconstruction(identity: str, held_out: Faces, size: int, count: int) -> Exam:
    """At most ``count`` held-out faces, evenly spaced, to be drawn as they are.

    Args:
        identity: whose faces they are.
        held_out: with planes of the crops' full size.
        size: to judge at, pixels.
        count: of faces.
    """
    planes = held_out.take(evenly(len(held_out), count)).cpu().numpy()
    crops = [np.ascontiguousarray(one[:3].transpose(1, 2, 0)) for one in planes]
    right = [_scaled(crop, size) for crop in crops]
    masks = [cv2.resize(one[3], (size, size), interpolation=cv2.INTER_AREA) > 127 for one in planes]
    return Exam(identity, crops, right, masks)


def swap_with_truth(swap: Swap, truth: Truth, crop_size: int, size: int, count: int, data: Path) -> Exam:
    """At most ``count`` frames of the target's clip, evenly spaced, to be drawn as the rendered truth shows them.

    Args:
        swap: of the pair.
        truth: its right answer, frame by frame.
        crop_size: of the crops that face sets have, pixels.
        size: to judge at, pixels.
        count: of frames.
        data: the folder of all artifacts.

    Raises:
        Problem: an artifact is missing or damaged.
    """
    alignments = Alignments.read(data / "alignment" / swap.clip)
    table = alignments.table.drop_duplicates("frame")
    table = alignments.widened(table.iloc[evenly(len(table), count).numpy()])
    numbers = [int(number) for number in table["frame"]]
    labels = face_labels(truth.facts)
    parts = _chosen(truth.parts(), numbers) if labels else None
    crops, right, masks = [], [], []
    frames = Frames.read(data / "extraction" / swap.clip).pick(numbers)
    for row, frame, answer in zip(table.itertuples(), frames, _chosen(truth.frames(), numbers), strict=True):
        transform = geometry.as_matrix(np.asarray(row.transform, np.float64))
        landmarks = np.asarray(row.landmarks, np.float32).reshape(-1, 3)[:, :2]
        face = None if parts is None else np.isin(next(parts).planes()[0], labels)
        crops.append(geometry.crop(frame.rgb(), transform, crop_size))
        right.append(geometry.crop(answer.rgb(), transform, size))
        masks.append(face_mask_in_crop(landmarks, transform, face, size))
    return Exam(swap.source, crops, right, masks)


@torch.no_grad()
def marks(network: Network, exam: Exam, preset: PresetSettings) -> tuple[float, float]:
    """Mean PSNR (dB) and SSIM of a network's answers inside the masks."""
    device = next(network.parameters()).device
    # conversion's own way from a crop to what a network sees
    eyes = SwapModel(Path(), {"stored_size": preset.stored_size, "input_size": preset.network.input_size})
    found = []
    for start in range(0, len(exam.crops), _BATCH):
        here = slice(start, start + _BATCH)
        seen = torch.from_numpy(eyes.network_input(np.stack(exam.crops[here]))).to(device)
        answers = network.swap(seen, exam.identity).rgb.float().permute(0, 2, 3, 1).cpu().numpy()
        for answer, right, mask in zip(answers, exam.right[here], exam.masks[here], strict=True):
            picture = _as_picture(answer, right.shape[0])
            found.append((psnr(picture, right, mask), ssim(picture, right, mask)))
    means = np.nanmean(np.array(found), axis=0)
    return float(means[0]), float(means[1])


def _as_picture(answer: NDArray[np.float32], size: int) -> Picture:
    """An answer (r, r, 3) 0..1 at the size it is judged at, uint8."""
    way = cv2.INTER_AREA if answer.shape[0] > size else cv2.INTER_CUBIC
    scaled = answer if answer.shape[0] == size else cv2.resize(answer, (size, size), interpolation=way)
    return np.asarray((scaled * 255.0).round().clip(0, 255), np.uint8)


def _scaled(picture: Picture, size: int) -> Picture:
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _chosen(frames: Iterable[NativeFrame], numbers: Sequence[int]) -> Iterator[NativeFrame]:
    wanted = set(numbers)
    return (frame for frame in frames if frame.number in wanted)
