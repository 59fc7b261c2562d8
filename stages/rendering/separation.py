"""How well networks that know real faces find synthetic performers and tell them apart.

`python -m stages.rendering.separation --identities 20 --frames 10 [--embedder other.onnx]` renders every identity in
frames of different pose and expression and prints: the share of frames in which the pack's detector and landmarker
find the face, the landmarks' error, and for each embedder the area under the ROC curve of same against different
pairs. Frame k of every identity has the same light and backdrop, so that these can not give an identity away; the yaw
runs evenly over +-45 degrees.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from insightface.model_zoo import get_model
from numpy.typing import NDArray

from stages.geometry import crop
from stages.packs.detector import Detector
from stages.packs.landmarker import Landmarker
from stages.packs.pack import open_pack
from stages.packs.recogniser import Recogniser, arcface_transform
from stages.progress import progress
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.head import HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.performance import Acting, perform, pose_at
from stages.rendering.render import Performer, Picture, Sensor

log = logging.getLogger(__name__)
F32 = NDArray[np.float32]

WIDEST = 45.0  # degrees of yaw
FOCAL = 2.0  # heights of the picture
# 478-point indices of the outer and inner eye corners and the mouth's corners, and the same in iBUG's 68
MESH_POINTS, IBUG_POINTS = (33, 133, 362, 263, 61, 291), (36, 39, 42, 45, 48, 54)


@dataclass(frozen=True)
class Look:
    """A rendered frame: whose, and what it shows."""

    identity: int
    yaw: float
    picture: Picture


def looks(identities: int, frames: int, size: int) -> Iterator[Look]:
    """Every identity in every frame, one at a time."""
    basis = HeadBasis.load()
    yaws = np.linspace(-WIDEST, WIDEST, frames) if frames > 1 else np.zeros(1)
    for seed in range(identities):
        performer = Performer(Identity.from_seed(seed), basis)
        track = perform(1000 + seed, 25 * frames * 2, 25.0, Acting(yaw=0.0))
        for k, yaw in enumerate(np.random.Generator(np.random.PCG64(seed)).permutation(yaws)):
            pose = replace(pose_at(track, 50 * k + 20), yaw=float(yaw), gaze_yaw=float(np.clip(-0.5 * yaw, -20, 20)))
            camera = Camera(size, size, FOCAL * size)
            noise = np.random.Generator(np.random.PCG64([seed, k]))
            behind = backdrop(k, size, size)
            yield Look(seed, float(yaw), performer.render(pose, camera, Light.from_seed(k), behind, Sensor(), noise))


def area_under_curve(similarity: F32, same: NDArray[np.bool_]) -> float:
    """Probability that a same pair is more alike than a different one (Mann and Whitney's U), ties counted half."""
    order = np.argsort(similarity, kind="stable")
    _, inverse, counts = np.unique(similarity[order], return_inverse=True, return_counts=True)
    ranks = np.empty(len(similarity))
    ranks[order] = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]
    positive, negative = int(same.sum()), int((~same).sum())
    return float((ranks[same].sum() - positive * (positive + 1) / 2.0) / (positive * negative))


def compare(embeddings: F32, identity: NDArray[np.int64]) -> dict[str, float]:
    """AUC and the spread of cosine similarities of all pairs; embeddings (n, d) unit, identity (n,)."""
    first, second = np.triu_indices(len(embeddings), 1)
    similarity = (embeddings[first] * embeddings[second]).sum(1)
    same = identity[first] == identity[second]
    return {
        "auc": area_under_curve(similarity, same),
        "same_5%": float(np.percentile(similarity[same], 5)),
        "same_50%": float(np.median(similarity[same])),
        "different_50%": float(np.median(similarity[~same])),
        "different_95%": float(np.percentile(similarity[~same], 95)),
    }


def main() -> None:
    """Render, look, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--identities", type=int, default=20)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--embedder", type=Path, help="a second embedder, ArcFace-style ONNX (112-pixel crop)")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    pack = open_pack()
    detector, landmarker, recogniser = Detector(pack), Landmarker(pack), Recogniser(pack)
    other = get_model(str(given.embedder), providers=["CPUExecutionProvider"]) if given.embedder else None
    first, second, who, missed, unsure, errors = [], [], [], [], [], []
    total = given.identities * given.frames
    begin, spent = time.perf_counter(), 0.0
    for look in progress(looks(given.identities, given.frames, given.size), total=total, what="separation"):
        spent += time.perf_counter() - begin
        rgb, truth = look.picture.rgb, look.picture.landmarks
        found = detector.detect([rgb])[0]
        inside = [k for k, box in enumerate(found.boxes) if _holds(box, truth[30])]
        if not inside:
            missed.append((look.identity, look.yaw))
        else:
            points = found.points[inside[:1]]
            mesh, sure = landmarker.refine(rgb, points, passes=2)
            apart = float(np.linalg.norm(truth[36] - truth[45]))
            error = np.linalg.norm(mesh[0, list(MESH_POINTS), :2] - truth[list(IBUG_POINTS)], axis=1).mean() / apart
            errors.append(float(error))
            if sure[0] < 0.5:
                unsure.append((look.identity, look.yaw))
            who.append(look.identity)
            first.append(recogniser.embed(rgb, points)[0])
            if other is not None:
                chip = crop(rgb, arcface_transform(points[0], 112), 112)
                vector = other.get_feat([chip[:, :, ::-1]])[0]
                second.append((vector / np.linalg.norm(vector)).astype(np.float32))
        begin = time.perf_counter()

    log.info("identities %d, frames %d, size %d", given.identities, total, given.size)
    log.info("detector finds %.1f%%, missed (identity, yaw): %s", 100 * (1 - len(missed) / total), missed)
    log.info("landmarker sure in %.1f%%, not: %s", 100 * (1 - (len(missed) + len(unsure)) / total), unsure)
    log.info("landmark error / distance of eyes: median %.3f, 95%% %.3f", np.median(errors), np.percentile(errors, 95))
    log.info("one thread renders %.2f frames a second, identities' paint included", total / spent)
    names = [("pack's embedder", first)] + ([(given.embedder.name, second)] if other is not None else [])
    for name, vectors in names:
        figures = compare(np.stack(vectors), np.array(who))
        log.info("%s: %s", name, ", ".join(f"{key} {value:.3f}" for key, value in figures.items()))


def _holds(box: F32, point: F32) -> bool:
    return bool(box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3])


if __name__ == "__main__":
    main()
