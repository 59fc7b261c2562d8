"""Networks run where they were asked to, or say that they can not."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort
import pytest

from stages.onnx import open_session
from stages.packs import open_pack
from stages.packs.insight import open_model
from stages.problems import Problem
from tests.conftest import REPOSITORY

NETWORK = REPOSITORY / "data/packs/open/detection.onnx"


def test_a_session_opens_on_the_cpu() -> None:
    assert open_session(NETWORK, device="cpu").get_providers() == ["CPUExecutionProvider"]


def test_threads_sleep_between_operators() -> None:
    """Spinning, they would take the processor from the other networks."""
    entry = "session.intra_op.allow_spinning"
    assert open_session(NETWORK, device="cpu").get_session_options().get_session_config_entry(entry) == "0"
    detector = open_model(open_pack(), "detection", device="cpu", threads=2)
    assert detector.session.get_session_options().get_session_config_entry(entry) == "0"


@pytest.mark.skipif("CUDAExecutionProvider" in ort.get_available_providers(), reason="there may be a GPU here")
def test_a_gpu_that_is_not_there_is_never_replaced_in_silence() -> None:
    assert open_session(NETWORK, device="auto").get_providers() == ["CPUExecutionProvider"]
    with pytest.raises(Problem) as caught:
        open_session(NETWORK, device="cuda")
    assert "device" in caught.value.mend


def test_a_missing_or_damaged_network_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not there"):
        open_session(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(Problem, match="can not load"):
        open_session(tmp_path / "bad.onnx")
