"""What Prefect's own pages show in a real browser. Skipped where there is no Chromium."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from playwright.sync_api import Page, expect

from flows.bench.project import small_project
from flows.pages import files
from tests.conftest import REPOSITORY, write_clip
from tests.flows.conftest import commit, wait_for
from tests.flows.pages.conftest import WAIT, bar_until_told, latest, reproducing

PATIENCE = 1000 * WAIT
"""In milliseconds."""


class Pages:
    """The pages of a server."""

    def __init__(self, browser: Any, address: str) -> None:
        self.address = address
        self.page: Page = browser.new_page(viewport={"width": 1400, "height": 1000})

    def open(self, key: str) -> dict[str, Any]:
        """Go to the newest artifact of a key."""
        found = latest(self.address, key)
        assert found is not None, key
        self.go(f"artifacts/artifact/{found['id']}")
        expect(self.page.get_by_text(found["id"])).to_be_visible(timeout=PATIENCE)
        return found

    def go(self, path: str) -> None:
        """Go to a page; those of Prefect's second generation are what a new browser is led to."""
        self.page.goto(f"{self.address.removesuffix('/api')}/v2/{path}")

    def shows(self, text: str) -> None:
        """Wait until the text is to be seen."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE)

    def picture(self, description: str) -> tuple[int, int]:
        """The width and height of the picture that the page shows."""
        self.shows(description)
        image = self.page.locator("main img, [role=tabpanel] img").first
        expect(image).to_be_visible(timeout=PATIENCE)
        width, height = image.evaluate("e => e.decode().then(() => [e.naturalWidth, e.naturalHeight])")
        return width, height


@pytest.fixture
def pages(browser: Any, prefect: str) -> Pages:
    return Pages(browser, prefect)


@pytest.fixture
def studio(linked: Path, fault: Callable[[str, str], None]) -> Path:
    """The small project, whose training has a bar and a sheet and whose evaluation has a report."""
    cv2.imwrite(str(linked / "sheet.png"), np.full((48, 64, 3), 128, np.uint8))
    stages = yaml.safe_load((linked / "dvc.yaml").read_text())
    stages["stages"]["evaluation"]["do"]["outs"] = ["data/evaluation/${key}/report.html"]
    (linked / "dvc.yaml").write_text(yaml.safe_dump(stages))
    keep = "mkdir -p data/training/ada-ben && cp sheet.png data/training/ada-ben/preview.png"
    fault("training@ada-ben", f"{bar_until_told(linked)}{keep}")
    report = (
        "mkdir -p data/evaluation/ada-on-ben && echo '<h1>How it went</h1>' > data/evaluation/ada-on-ben/report.html"
    )
    fault("evaluation@ada-on-ben", report)
    commit(linked, "what there is to look at")
    return linked


def test_a_run_while_it_goes_on_and_afterwards(studio: Path, pages: Pages) -> None:
    with reproducing(studio, pages.address, "--swap", "ada-on-ben") as process:
        wait_for(lambda: (latest(pages.address, "progress-training-ada-ben") or {}).get("data") == 40.0, WAIT)
        run = pages.open("progress-training-ada-ben")["flow_run_id"]
        pages.shows("Progress: 40%")
        pages.shows("training ada-ben: 4 of 10 iterations")
        pages.go(f"runs/flow-run/{run}")
        pages.shows("Running")
        (studio / "go").write_text("well")
        assert process.wait(WAIT) == 0, (studio.parent / "output.txt").read_text()

    pages.go(f"runs/flow-run/{run}?tab=Artifacts")
    pages.shows("Completed")
    for key in ("stages", "metrics", "preview-ada-ben", "report-ada-on-ben", "lineage-ada-on-ben"):
        pages.shows(key)
    pages.open("progress-training-ada-ben")
    pages.shows("Progress: 100%")
    pages.open("preview-ada-ben")
    assert pages.picture("Faces as the training makes them") == (64, 48)
    pages.open("metrics")
    pages.shows("identity.nearer")

    pages.open("lineage-ada-on-ben")
    drawn = pages.page.locator("svg.flowchart")
    expect(drawn).to_contain_text("training@ada-ben", timeout=PATIENCE)
    pages.shows("consent of ada")
    pages.open("report-ada-on-ben")
    pages.page.get_by_role("link", name="report of ada-on-ben").click()
    expect(pages.page.get_by_role("heading", name="How it went")).to_be_visible(timeout=PATIENCE)


def test_a_deliverable_plays(linked: Path, browser: Any) -> None:
    film = linked / "film.mp4"
    write_clip(film, frames=3)
    kept = files.kept_at(files.cache_of(linked), md5 := hashlib.md5(film.read_bytes()).hexdigest())
    kept.parent.mkdir(parents=True)
    shutil.copy(film, kept)
    page: Page = browser.new_page()
    page.goto(files.link(md5, film.name))
    page.wait_for_function("() => document.querySelector('video')?.readyState > 1", timeout=PATIENCE)


def test_a_real_clip_on_its_way_to_the_face_set(
    pages: Pages, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "film"
    small_project(REPOSITORY, film, 0.5)
    settings = yaml.safe_load((film / "params.yaml").read_text())
    settings["dataset"] = {"minimum": 2, "split": {"block": 4, "guard": 1}}
    (film / "params.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    monkeypatch.setenv(files.VARIABLE, "")
    files.serve_files(film, 0)
    with reproducing(film, pages.address, "--clip", "ada") as process:
        assert process.wait(WAIT) == 0, (tmp_path / "output.txt").read_text()
    pages.open("progress-detection-ada")
    pages.shows("Progress: 100%")
    pages.shows("detection ada: 5 of 5 frames")  # of 13: each fifth and the last, and one for tilted heads
    for key, description in (("tracks-ada", "The people in the clip"), ("contact-sheet-ada", "The face set")):
        pages.open(key)
        width, _ = pages.picture(description)
        assert width > 500
