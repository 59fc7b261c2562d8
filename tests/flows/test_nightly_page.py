"""The page about a night shows names of files as they are, whoever chose them."""

from __future__ import annotations

from flows.ingestion.taking import Arrival
from flows.markdown import plainly
from flows.nightly_page import Page


def test_a_name_is_one_cell_and_neither_picture_nor_markup() -> None:
    name = "a|<img src=x>![p](//host/x.png)\n`_b_`.mp4"
    page = Page([Arrival(name, "clip", "new")], [], [], [], [], ["it says\n```\n# not a heading\n```"]).markdown()
    (row,) = [line for line in page.splitlines() if "mp4" in line]
    assert row.replace("\\|", "").count("|") == 4
    assert "<img" not in page
    assert "![" not in page
    assert plainly("plain-name.mp4") == "plain-name.mp4"
    fences = [line for line in page.splitlines() if line.startswith("````")]
    assert len(fences) == 2, "what is within has shorter ones"
