"""The open pack's graphs can be made again, and wrong upstream files are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from stages.packs import open_pack
from stages.packs.build.dlib_tensors import Layer, read_layers
from stages.packs.build.face_resnet import CHIP, CHIP_SIDE, CHIP_TOP_LEFT, CROP, face_resnet, resampling
from stages.packs.build.yunet_scrfd import yunet_as_scrfd
from tests.conftest import REPOSITORY

YUNET = REPOSITORY.parent / "shared" / "weights" / "face_detection_yunet_2023mar.onnx"


def integer(value: int) -> bytes:
    """As dlib writes it."""
    digits = abs(value).to_bytes(max(1, (abs(value).bit_length() + 7) // 8), "little")
    return bytes([len(digits) | (0x80 if value < 0 else 0)]) + digits


def layer(name: str, values: np.ndarray, *before: int) -> bytes:
    head = integer(len(name)) + name.encode() + b"".join(integer(number) for number in before)
    shape = b"".join(integer(extent) for extent in (len(values), 1, 1, 1))
    return head + integer(2) + shape + values.astype("<f4").tobytes()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["con_4", "affine_", "fc_2"]), st.integers(1, 300)), min_size=1, max_size=6))
def test_layers_are_read_as_dlib_writes_them(
    tmp_path_factory: pytest.TempPathFactory, spec: list[tuple[str, int]]
) -> None:
    written = [np.arange(size, dtype=np.float32) / 7 - number for number, (_, size) in enumerate(spec)]
    parts = [
        layer(name, values, *((128, 256) if name == "fc_2" else ()))
        for (name, _), values in zip(spec, written, strict=True)
    ]
    path = tmp_path_factory.mktemp("dlib") / "network.dat"
    path.write_bytes(b"\x01\x02net" + b"\x01\x05relu_".join(parts) + b"end")
    read = read_layers(path)
    assert [{"con": "con_4", "affine": "affine_", "fc": "fc_2"}[found.kind] for found in read] == [n for n, _ in spec]
    for found, values in zip(read, written, strict=True):
        np.testing.assert_array_equal(found.parameters, values)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.dat"
    path.write_bytes(layer("con_4", np.zeros(100, np.float32))[:-5])
    with pytest.raises(ValueError, match="cut short"):
        read_layers(path)
    path.write_bytes(b"no network at all")
    with pytest.raises(ValueError, match="no dlib network"):
        read_layers(path)


def test_other_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="not those of dlib's"):
        face_resnet([Layer("fc", np.zeros(4, np.float32))] * 60)


@pytest.mark.parametrize("start", CHIP_TOP_LEFT)
def test_a_ramp_stays_a_ramp_in_the_chip(start: float) -> None:
    matrix = resampling(start, CHIP_SIDE, CROP, CHIP)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-6)
    centres = start + (np.arange(CHIP) + 0.5) * CHIP_SIDE / CHIP
    inside = centres < CROP - 2
    np.testing.assert_allclose((matrix @ (np.arange(CROP) + 0.5))[inside], centres[inside], atol=0.06)


def test_another_detector_is_refused() -> None:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("input", "output")]
    body = helper.make_graph([helper.make_node("Relu", ["input"], ["output"])], "other", values[:1], values[1:])
    with pytest.raises(ValueError, match="not YuNet"):
        yunet_as_scrfd(helper.make_model(body))


@pytest.mark.skipif(not YUNET.exists(), reason="the upstream file is not here")
def test_the_shipped_detector_is_the_one_that_is_built() -> None:
    built = yunet_as_scrfd(onnx.load(YUNET)).SerializeToString(deterministic=True)
    assert built == open_pack().files["detection"].read_bytes()
