"""The report in a real browser: by keyboard, on a phone, without a network. Skipped where there is no Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, Request, expect

from stages.artifacts.face_set import HELD_OUT, TRAIN
from stages.evaluation.plots import worst_frames
from stages.evaluation.report import Report
from stages.evaluation.settings import Threshold
from stages.evaluation.stills import Still, data_uri
from stages.evaluation.summary import figures_of, summarised
from stages.evaluation.thresholds import bars
from tests.browser import PATIENCE_MS, chromium

CAPTIONS = ("Source", "Target", "Swap", "Mask", "Difference", "Truth")
FRAMES = 60


def frames() -> pd.DataFrame:
    """Figures that go up and down; the worst PSNR is at frame 42, in the middle of the others."""
    times = np.arange(FRAMES)
    wave = np.sin(times / 4.0)
    return pd.DataFrame(
        {
            "frame": times,
            "seconds": times / 25,
            "shot": 0,
            "split": np.where(times < 40, TRAIN, HELD_OUT),
            "stretch": np.where(times < 30, 0, -1),
            "psnr": np.where(times == 42, 15.0, 25 + wave),
            "psnr_copied_target": 16 + wave,
            "psnr_oracle": 30.0,
            "ssim": 0.8 + wave / 20,
            "similarity_source": 0.8 + wave / 30,
            "similarity_target": 0.4,
            "nearer_to_source": 1.0,
            "landmark_error": 0.03 + wave / 100,
            "seam_energy": 1.1,
            "seam_energy_copied_target": 1.0,
            "seam_energy_static_source": 0.9,
            "flow_error": np.where(times < 30, 4 + wave, np.nan),
            "flow_error_copied_target": np.where(times < 30, 4.0, np.nan),
            "changed_outside": 0,
        }
    )


def report() -> str:
    table = frames()
    figures = figures_of(table, seed=0)
    metrics = summarised(table, figures, passed_exactly=True)
    shown = sorted({0, 10, 20, 30, 59, *worst_frames(table).values()})
    stills = []
    for number in shown:
        grey = np.full((90, 120, 3), 4 * number, np.uint8)
        row: dict[str, Any] = table.iloc[number].to_dict() | {"frame": number}
        stills.append(Still(row, {caption: data_uri(grey, 80) for caption in CAPTIONS}, 120, 90))
    about = {"swap": "ada-on-ben", "source": "ada", "target": "ben", "clip": "ben", "truth": "ada-on-ben"}
    asked = bars({"psnr": Threshold(least=40.0)}, metrics)
    consent = {"consent": {"source": "synthetic-ada-1", "target": "synthetic-ben-1"}, "disclosure": "AI-modified"}
    return Report(about, metrics, figures, table, asked, stills, consent, {"clip": "x" * 80}).html()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report(), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


class Visit:
    """A page with what it asked for and what it complained of."""

    def __init__(self, browser: Any, address: str, width: int, height: int) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)

    def shows(self, frame: int) -> bool:
        """Whether this frame is the only one that comes to be seen: a press does not wait for what follows it."""
        expect(self.page.locator(f"#frame-{frame}")).to_be_visible()
        return self.shown == [f"frame-{frame}"]

    @property
    def shown(self) -> list[str]:
        """The ids of the frames that are to be seen."""
        ids = self.page.eval_on_selector_all(".still", "all => all.filter(e => e.offsetParent !== null).map(e => e.id)")
        return list(ids)


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desk", "phone"])
def visit(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    visit = Visit(browser, address, *request.param)
    yield visit
    visit.page.close()


def test_the_arrow_keys_move_through_the_frames(visit: Visit) -> None:
    assert visit.shows(0)
    visit.page.keyboard.press("Tab")
    expect(visit.page.locator("#slide")).to_be_focused()
    visit.page.keyboard.press("ArrowRight")
    assert visit.shows(6)
    expect(visit.page.locator("#where")).to_have_text("frame 6 · 0.24 s")
    visit.page.keyboard.press("End")
    assert visit.shows(59)
    visit.page.keyboard.press("Home")
    assert visit.shows(0)


def test_the_mark_on_the_curves_follows(visit: Visit) -> None:
    mark = visit.page.locator("svg .now").first
    for key, place in (("End", "710"), ("Home", "46")):  # the right and the left end of the drawing
        visit.page.focus("#slide")
        visit.page.keyboard.press(key)
        expect(mark).to_have_attribute("x1", re.compile(rf"^{place}(\.0*)?$"))


def test_a_worst_frame_is_reached_by_its_link_and_by_its_ring(visit: Visit) -> None:
    visit.page.click(".worst a")
    assert visit.shows(42)
    visit.page.focus("#slide")
    visit.page.keyboard.press("Home")
    assert visit.shows(0)
    visit.page.focus("svg a")
    visit.page.keyboard.press("Enter")
    assert visit.shows(42), "the address is the same as before"
    visit.page.focus("#slide")
    visit.page.keyboard.press("End")
    visit.page.click(".worst a")
    assert visit.shows(42)


def test_curves_have_a_name_and_their_rings_can_be_reached(visit: Visit) -> None:
    names = visit.page.eval_on_selector_all("figure svg, svg", "all => all.map(e => e.getAttribute('aria-label'))")
    assert names
    assert all(names)
    within = visit.page.eval_on_selector_all("svg a", "all => all.map(e => e.closest('svg').getAttribute('role'))")
    assert within
    assert set(within) == {"group"}


def test_it_asks_for_nothing_and_complains_of_nothing(visit: Visit) -> None:
    visit.page.click(".worst a")
    visit.page.evaluate("Promise.all([...document.images].map(image => image.decode()))")
    assert [each.url for each in visit.requests if not each.url.startswith("data:")] == [visit.page.url.split("#")[0]]
    assert visit.complaints == []


def test_nothing_is_wider_than_the_screen_and_what_is_touched_is_large_enough(visit: Visit) -> None:
    page = visit.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = page.eval_on_selector_all("figure img", "all => all.map(e => e.getBoundingClientRect().width)")
    assert max(boxes) > 120
    box = page.locator("#slide").bounding_box()
    assert box is not None
    if page.viewport_size == {"width": 390, "height": 844}:
        assert box["width"] > 300
        assert box["height"] >= 32


def test_what_failed_and_what_is_not_to_be_trusted_is_said(visit: Visit) -> None:
    text = visit.page.inner_text("main")
    assert "Failed: the deliverable misses what was asked of it." in text
    assert "It does not rank untouched target before static source." in text
    assert all(caption in text for caption in CAPTIONS)


def test_fingers_move_the_slider_and_follow_links(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is not zoomed out"
    expect(page.locator("#frame-0")).to_be_visible()
    box = page.locator("#slide").bounding_box()
    page.locator("#slide").tap(position={"x": box["width"] - 2, "y": box["height"] / 2})
    expect(page.locator("#frame-59")).to_be_visible()
    expect(page.locator(".still:visible")).to_have_count(1)
    page.locator(".worst a").first.tap()
    expect(page.locator("#frame-42")).to_be_visible()
    expect(page.locator("#frame-59")).to_be_hidden()
    context.close()


def test_without_scripts_every_frame_is_there(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".still:visible").count() == page.locator(".still").count()
    context.close()


def test_without_its_pictures_the_page_is_small() -> None:
    """How many pictures there are is a setting; all else is text, and points of measured frames."""
    page = report()
    pictures = re.findall(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", page)
    assert len(pictures) == len(CAPTIONS) * page.count('class="still"')
    assert len(page) - sum(map(len, pictures)) < 80_000
