"""What the footage bench measures, and what it compares it with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stages.bench import footage
from stages.bench.footage import Networks, Run, Time, chain, decoding, fresh, measure, project, repeated, stage_run
from stages.extraction.stage import place
from stages.problems import Problem
from stages.settings import Params, load_params
from stages.video import decode
from tests.conftest import params_with, write_clip


def test_a_clip_is_repeated_picture_by_picture(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", frames=10)
    count = repeated(tmp_path / "clip.mp4", 1.0, tmp_path / "long.mp4")
    assert 24 <= count <= 28  # packets are copied: what is shown late was coded before the end
    short, long = ([frame.digest() for frame in decode(tmp_path / name)] for name in ("clip.mp4", "long.mp4"))
    assert long[:20] == short + short
    assert decoding(tmp_path / "long.mp4") > 0.0


def test_what_ffmpeg_does_not_do_is_told(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no clip")
    with pytest.raises(Problem, match="ffmpeg does not do it"):
        repeated(tmp_path / "clip.mp4", 1.0, tmp_path / "long.mp4")


def test_a_stage_runs_in_a_project_and_process_of_its_own(workplace: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", frames=5)
    params = params_with({"ada": tmp_path / "clip.mp4"})
    folder = tmp_path / "project"
    folder.mkdir()
    project(folder)
    run = fresh(stage_run, "extraction", "ada", params, folder)
    assert run.time.clock > 0.0
    assert run.time.cpu > 0.0
    assert 20 * 2**20 < run.memory < 4 * 2**30
    assert (folder / place("ada") / "index.parquet").is_file()
    assert not place("ada").exists()


@pytest.fixture
def shipped(workplace: Path) -> Params:
    return load_params(Path("params.yaml"))


def test_after_the_face_set_it_goes_on_only_with_a_model(workplace: Path, shipped: Params) -> None:
    assert [stage for stage, _ in chain(shipped, "ada-on-ben", "ben")] == list(footage.CLIP_STAGES)
    (workplace / "data" / "training" / "ada-ben").mkdir(parents=True)
    (workplace / "data" / "training" / "ada-ben" / "model.safetensors").touch()
    stages = list(chain(shipped, "ada-on-ben", "ben"))
    assert stages[-3:] == [(stage, "ada-on-ben") for stage in footage.SWAP_STAGES]
    assert stages[0] == ("admission", "ben")


def test_a_stages_problem_is_told_by_the_process_that_waits(workplace: Path, tmp_path: Path) -> None:
    params = params_with({"ada": tmp_path / "none.mp4"})
    with pytest.raises(Problem, match="not there") as caught:
        fresh(stage_run, "extraction", "ada", params, workplace)
    assert caught.value.where.endswith("none.mp4")
    assert caught.value.mend


def test_rates_and_shares_follow_from_the_times(
    workplace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten frames a second decoded, one second a stage, a network's call in a fiftieth."""
    write_clip(tmp_path / "clip.mp4", frames=20)
    params = params_with({"ada": tmp_path / "clip.mp4"})
    monkeypatch.setattr(footage, "repeated", lambda clip, seconds, path: round(10 * seconds))
    monkeypatch.setattr(footage, "decoding", lambda path: 1.0)
    monkeypatch.setattr(footage, "fresh", lambda *_: Run(Time(1.0, 1.5), 50 * 2**20))
    alone = Networks(
        Time(0.02, 0.03),
        Time(0.01, 0.01),
        Time(0.01, 0.01),
        visibility=Time(0.004, 0.004),
        glance=Time(0.005, 0.005),
        every=5,
    )
    slower = replace(alone, detector=Time(0.05, 0.05))
    monkeypatch.setattr(footage, "networks", lambda *_, side_by_side=True: alone if side_by_side else slower)
    lines = list(measure(params, "ada", None, (1.0, 3.0), 0.0))
    assert lines[0].endswith("| memory, 10 frames | memory, 30 frames |")
    assert "| ffmpeg, decoding | 30.0 | 100.0% | | | |" in lines
    assert "| detection | 30.0 | 100.0% | 50.0 ms | 50 MB | 50 MB |" in lines
    assert "| together | 10.0 | 150.0 ms | 100% | 100% |" in lines
    assert "| the slowest network alone | 50.0 | 30.0 ms | 20% | 20% |" in lines
    assert "| the slowest, one call after the other | 20.0 | 50.0 ms | 50% | 33% |" in lines
    assert "| all calls of networks | 47.6 | 23.0 ms | 21% | 15% |" in lines
    assert "| the landmarker alone, without the mirror | 200.0 | 5.0 ms | 5% | 3% |" in lines
