"""A whole evaluation of a swap whose right answer is known."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest

from stages.artifacts.evaluation import Evaluation
from stages.artifacts.files import sha256_of
from stages.artifacts.frames import FrameWriter
from stages.evaluation import vmaf
from stages.evaluation.evidence import Evidence
from stages.evaluation.settings import Threshold
from stages.evaluation.stage import evaluate
from stages.packs import open_pack
from stages.problems import Problem
from tests.evaluation.conftest import ABOUT, SETTINGS

Make = Callable[..., Evidence]

FEW = SETTINGS.model_copy(update={"frames": 2, "stretches": 0})

FRAMES_BEYOND = 400


def test_a_good_swap_gets_good_figures_and_beats_every_control(usual: Evaluation) -> None:
    figures = usual.metrics
    assert figures["psnr"] > 28
    assert figures["ssim"] > 0.9
    for control in ("copied_target", "wrong_decoder", "shuffled_frames"):
        assert figures[f"psnr_{control}"] < figures["psnr"] - 8
        assert figures[f"ssim_{control}"] < figures["ssim"]
    assert figures["psnr_gain"] == pytest.approx(figures["psnr"] - figures["psnr_copied_target"], abs=2e-3)
    assert figures["psnr_frame"] > 28
    assert figures["nearer_to_source"] >= 0.9
    assert figures["landmark_error"] < 0.06
    assert figures["pose_error"] < 3
    assert figures["pose_error_truth"] < 2
    assert figures["flicker"] < 2
    assert 0.8 < figures["seam_energy"] < 3
    assert figures["untouched_exact"] == 1
    assert (figures["frames"], figures["frames_held_out"]) == (8, 4)


def test_every_figure_comes_with_its_controls_and_says_whether_they_rank(usual: Evaluation) -> None:
    figures = usual.figures.set_index("metric")
    assert figures.loc["psnr", "ranks"] == figures.loc["colour_error_frame", "ranks"] == "right"
    assert figures.loc["landmark_error", "copied_target"] == 0.0
    assert figures.loc["flicker", "copied_target"] == 1.0
    assert figures.loc["psnr_frame", "oracle"] > figures.loc["psnr_frame", "copied_target"]
    assert figures.loc["colour_error", "copied_target"] > 2 * figures.loc["colour_error", "value"]
    assert figures.loc["identity_spread", "alternating"] > figures.loc["identity_spread", "copied_target"]
    if vmaf.program() is not None:  # it looks at brightness: a face in other colours misleads it, so it is marked
        assert figures.loc["vmaf", "copied_target"] > figures.loc["vmaf", "oracle"]
        assert figures.loc["vmaf", "misranked"] == "oracle before copied_target"
    marked = {key.removeprefix("untrusted_") for key in usual.metrics if key.startswith("untrusted_")}
    assert marked == set(figures.index[figures["ranks"] == "wrong"])


def test_a_missed_threshold_marks_the_metrics_and_the_report(make_evidence: Make) -> None:
    asked = {"psnr": Threshold(least=60.0), "similarity_source": Threshold(least=1.5)}
    settings = SETTINGS.model_copy(update={"thresholds": asked, "frames": 3, "stretches": 0})
    result = evaluate(make_evidence(truth=False), settings, ABOUT | {"truth": "none"})
    assert result.metrics["thresholds_missed"] == 1
    assert "Failed: the deliverable misses what was asked of it." in result.report
    assert "similarity_source: at least 1.500 asked" in result.report
    assert "psnr: at least 60.00 dB asked, not measured of this swap" in result.report


@pytest.fixture
def other_judge(tmp_path: Path) -> Path:
    """The pack's recogniser in a file of its own, which is another one by its hash."""
    network = onnx.load(open_pack().files["recognition"])
    network.doc_string = "another"
    onnx.save(network, tmp_path / "other.onnx")
    return tmp_path / "other.onnx"


def test_a_second_judge_tells_whom_faces_are_like_too(make_evidence: Make, other_judge: Path) -> None:
    settings = FEW.model_copy(update={"second_recogniser": other_judge})
    result = evaluate(make_evidence(truth=True), settings, ABOUT)
    figures = result.figures.set_index("metric")
    for name in ("similarity_source", "similarity_target", "nearer_to_source", "retrieved"):
        assert result.metrics[f"second_{name}"] == pytest.approx(result.metrics[name], abs=1e-3)
        assert figures.loc[f"second_{name}", "oracle"] == pytest.approx(figures.loc[name, "oracle"], abs=1e-3)
    assert f"other.onnx sha256 {sha256_of(other_judge)}" in result.report
    assert "Source found among strangers, second judge" in result.report


def test_without_a_second_judge_there_are_no_figures_of_one(usual: Evaluation) -> None:
    assert not [name for name in usual.metrics if "second" in name]
    assert "second judge" not in usual.report


def test_the_second_judge_must_not_be_the_first(make_evidence: Make) -> None:
    settings = FEW.model_copy(update={"second_recogniser": open_pack().files["recognition"]})
    with pytest.raises(Problem, match="it is the pack's own recogniser, which judges already"):
        evaluate(make_evidence(truth=False), settings, ABOUT)


def test_what_is_written_can_be_read_back_by_dvc_and_by_us(usual: Evaluation, tmp_path: Path) -> None:
    result = usual
    folder = tmp_path / "evaluation"
    folder.mkdir()
    result.write(folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert all(isinstance(value, (int, float)) and np.isfinite(value) for value in metrics.values())
    table = pd.read_csv(folder / "frames.csv")
    wanted = {"frame", "psnr", "ssim", "similarity_source", "similarity_target", "landmark_error", "split"}
    assert wanted <= set(table.columns)
    assert table["frame"].is_monotonic_increasing
    again = Evaluation.read(folder)
    assert again.metrics == result.metrics
    assert again.figures["metric"].tolist() == result.figures["metric"].tolist()


def test_without_a_truth_what_can_be_measured_is_measured(make_evidence: Make) -> None:
    result = evaluate(make_evidence(truth=False), SETTINGS, ABOUT | {"truth": "none"})
    assert not any(key.startswith(("psnr", "ssim", "vmaf", "mask", "colour")) for key in result.metrics)
    assert {"flicker", "jitter", "seam_energy", "pose_error", "retrieved", "identity_spread"} <= set(result.metrics)
    assert result.figures["oracle"].isna().all()
    assert {"nearer_to_source", "landmark_error", "untouched_exact"} <= set(result.metrics)
    assert "The right answer is not known" in result.report
    assert result.frames["psnr"].isna().all()  # there for `dvc plots`, which names it for every swap


def test_a_model_taught_by_the_recogniser_that_judges_it_is_told(make_evidence: Make) -> None:
    evidence = make_evidence(truth=False)
    manifest = json.loads(Path("data/packs/open/pack.json").read_text())
    teacher = next(file["sha256"] for file in manifest["files"] if file["role"] == "recognition")
    for recogniser, taught in ((None, False), ("0" * 64, False), (teacher, True)):
        model = replace(evidence.model, facts={**evidence.model.facts, "recogniser": recogniser})
        result = evaluate(replace(evidence, model=model), FEW, ABOUT | {"truth": "none"})
        assert result.metrics.get("likeness_was_taught") == (1 if taught else None)
        assert ("taught by this recogniser" in result.report) == taught


def test_more_noise_is_worse(usual: Evaluation, make_evidence: Make) -> None:
    noisy, clean = evaluate(make_evidence(noise=25.0), SETTINGS, ABOUT).metrics, usual.metrics
    assert noisy["psnr"] < min(31, clean["psnr"] - 3)
    assert noisy["psnr_frame"] < 24
    for worse_if_more in ("flicker", "colour_error", "colour_error_frame", "jitter"):
        assert noisy[worse_if_more] > clean[worse_if_more]


def test_what_the_truth_says_is_no_face_does_not_count(make_evidence: Make) -> None:
    """The right half of the truth is labelled hair; the finished frames are black there, and it must not matter."""
    evidence = make_evidence(parts=True)
    settings = SETTINGS.model_copy(update={"stretches": 0})
    result = evaluate(evidence, settings, ABOUT)
    assert result.metrics["psnr"] > 22
    assert result.figures.set_index("metric").loc["mask_iou", "oracle"] > 0.9
    blind = replace(evidence.truth, facts={}) if evidence.truth else None
    result = evaluate(replace(evidence, truth=blind), settings, ABOUT)
    assert result.metrics["psnr"] < 15
    assert "mask_iou" not in result.metrics


def test_a_pixel_changed_outside_the_face_is_caught(make_evidence: Make, tmp_path: Path) -> None:
    evidence = make_evidence(truth=False)
    (tmp_path / "spoilt").mkdir()
    with FrameWriter(tmp_path / "spoilt", evidence.finished.facts) as writer:
        for frame in evidence.finished:
            frame.picture.make_writable()
            frame.planes()[2][3, 250] ^= 1
            writer.add(frame.picture, pts=frame.pts, duration=1, shot=0, changed=True)
        writer.close()
    spoilt = replace(evidence, finished=type(evidence.finished).read(tmp_path / "spoilt"))
    result = evaluate(spoilt, SETTINGS, ABOUT)
    assert result.metrics["untouched_exact"] == 0
    assert (result.frames["changed_outside"] == 1).all()
    assert "NO" in result.report


def test_the_same_evidence_gives_the_same_bytes(usual: Evaluation, make_evidence: Make) -> None:
    one, two = usual, evaluate(make_evidence(), SETTINGS, ABOUT)
    assert one.report == two.report
    assert one.metrics == two.metrics
    assert one.frames.to_csv() == two.frames.to_csv()


class Page(HTMLParser):
    """Collects what a page refers to and checks that tags close."""

    EMPTY = frozenset({"meta", "img", "input", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Tags of SVG that close themselves."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_one_page_that_needs_nothing_else(usual: Evaluation) -> None:
    report = usual.report
    page = Page()
    page.feed(report)
    assert not page.open
    pictures = [reference for reference in page.references if reference.startswith("data:image/jpeg;base64,")]
    links = set(page.references) - set(pictures)
    assert links
    assert all(f'id="{link.removeprefix("#")}"' in report for link in links)
    assert not re.search(r"https?://|@import|url\(", report)
    for shown in (
        "synthetic-ada-1",
        "synthetic-ben-1",
        "AI-modified",
        "untouched target",
        "wrong decoder",
        "static source",
        "oracle",
        "viewport",
    ):
        assert shown in report
    assert len(pictures) == 3 * 6


def test_names_from_outside_can_not_write_into_the_page(make_evidence: Make) -> None:
    report = evaluate(make_evidence(truth=False), FEW, ABOUT | {"clip": "<script>alert(1)</script>"}).report
    assert "<script>alert" not in report


def test_a_swap_without_faces_is_refused(make_evidence: Make) -> None:
    evidence = make_evidence(truth=False)
    empty = replace(evidence, converted=replace(evidence.converted, index=evidence.converted.index.iloc[:0]))
    with pytest.raises(Problem, match="no face was replaced"):
        evaluate(empty, SETTINGS, ABOUT)


def test_crops_of_another_model_are_refused(make_evidence: Make) -> None:
    evidence = make_evidence(truth=False)
    larger = replace(evidence.model, facts=evidence.model.facts | {"output_size": 128})
    with pytest.raises(Problem, match="made by another model"):
        evaluate(replace(evidence, model=larger), SETTINGS, ABOUT)


def test_a_deliverable_that_is_too_short_is_refused(make_evidence: Make, tmp_path: Path) -> None:
    evidence = make_evidence(truth=False)
    table = evidence.alignments.table
    late = table.tail(1).assign(frame=FRAMES_BEYOND)
    alignments = replace(evidence.alignments, table=pd.concat([table, late]))
    index = evidence.converted.index
    converted = replace(evidence.converted, index=pd.concat([index, index.tail(1).assign(frame=FRAMES_BEYOND)]))
    with pytest.raises((Problem, IndexError)):
        evaluate(replace(evidence, alignments=alignments, converted=converted), SETTINGS, ABOUT)


def test_an_anamorphic_clip_is_measured_as_a_screen_shows_it(usual: Evaluation, make_evidence: Make) -> None:
    """Frames squeezed to two thirds: whom the face looks like and what it does come out as without."""
    squeezed = evaluate(make_evidence(width=170), SETTINGS, ABOUT)
    for name in ("similarity_source", "similarity_target"):
        assert squeezed.metrics[name] == pytest.approx(usual.metrics[name], abs=0.05)
    assert squeezed.metrics["landmark_error"] < usual.metrics["landmark_error"] + 0.01
    for column in ("yaw", "pitch", "roll"):
        np.testing.assert_allclose(squeezed.frames[column], usual.frames[column], atol=2)
