"""Lineage as pictures: Mermaid, DOT and a page."""

from __future__ import annotations

import base64
import re
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pydot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.lineage.__main__ import app
from flows.lineage.drawing import dot, mermaid, thinned
from flows.lineage.graph import Edge, Graph, Node, graph_of
from flows.lineage.layout import placed
from flows.lineage.page import page
from flows.lineage.pictures import picture_of
from flows.lineage.records import Artifact
from flows.lineage.trace import trace
from tests.browser import PATIENCE_MS, chromium
from tests.conftest import write_clip

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


def lineage(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_graph_leads_from_clips_and_consent_to_the_deliverable(made: Path) -> None:
    graph = graph_of(trace(made, DELIVERABLE))
    kinds = {node.key: node.kind for node in graph.nodes}
    assert kinds["footage/ben.txt"] == "clip"
    assert kinds["data/consent/ada.yaml"] == "consent"
    edges = {(edge.origin, edge.target) for edge in graph.edges}
    assert ("footage/ben.txt", "extraction@ben") in edges
    assert ("extraction@ben", "encoding@ada-on-ben") in edges
    assert ("encoding@ada-on-ben", f"asked {DELIVERABLE}") in edges
    assert ("encoding@ada-on-ben", "evaluation@ada-on-ben") in edges
    assert {end for edge in edges for end in edge} == set(kinds), "nothing stands alone"


@pytest.mark.usefixtures("made")
def test_mermaid_and_dot_for_other_tools() -> None:
    chart = lineage(DELIVERABLE, "--mermaid")
    assert chart.startswith("flowchart LR\n")
    (clip,) = re.findall(r'(n\d+)\[\("footage/ben.txt"\)\]:::clip', chart)
    (step,) = re.findall(r'(n\d+)\["extraction@ben"\]:::step', chart)
    assert f"    {clip} --> {step}\n" in chart
    (read,) = pydot.graph_from_dot_data(lineage("--what-uses", "data/consent/cyd.yaml", "--dot")) or ()
    ends = {(edge.get_source(), edge.get_destination()) for edge in read.get_edges()}
    assert ('"asked data/consent/cyd.yaml"', '"extraction@cyd"') in ends
    assert ('"training@ada-cyd"', '"encoding@ada-on-cyd"') in ends


def test_whatever_a_name_holds_dot_and_mermaid_stay_whole() -> None:
    node = Node("a", "clip", 'a "clip" <of>\n\\n[x];', (("path", 'c:\\ "x"'),), stale=True)
    graph = Graph("a", (node, Node("b", "step", "b")), (Edge("a", "b", ("c",)),))
    (read,) = pydot.graph_from_dot_data(dot(graph)) or ()
    assert len(read.get_edges()) == 1
    assert "a &quot;clip&quot; &lt;of&gt;" in mermaid(graph)


def test_thinned_has_no_edge_that_only_repeats_a_longer_way() -> None:
    nodes = tuple(Node(key, "step", key) for key in "abc")
    edges = (Edge("a", "b"), Edge("b", "c", ("x",)), Edge("a", "c"))
    assert thinned(Graph("a", nodes, edges)).edges == edges[:2]


graphs = st.integers(2, 9).flatmap(
    lambda count: st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=20).map(
        lambda pairs: Graph(
            "any",
            tuple(Node(str(number), "step", str(number)) for number in range(count)),
            tuple(Edge(str(min(pair)), str(max(pair))) for pair in set(pairs) if pair[0] != pair[1]),
        )
    )
)


@settings(deadline=None)
@given(graphs)
def test_boxes_never_overlap_and_all_edges_go_to_the_right(graph: Graph) -> None:
    places = placed(graph, {node.key: 30.0 for node in graph.nodes}, width=100.0, across=40.0, between=10.0)
    for edge in graph.edges:
        assert places[edge.origin].x + 100.0 < places[edge.target].x
    spots = sorted((place.x, place.y) for place in places.values())
    for (x, y), (other, below) in pairwise(spots):
        assert x != other or below - y >= 40.0


def test_pictures_are_those_that_lie_there(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    cv2.imwrite(str(tmp_path / "set" / "contact-sheet.png"), np.full((400, 1000, 3), (255, 0, 0), np.uint8))
    cv2.imwrite(str(tmp_path / "set" / "a.png"), np.zeros((4, 4, 3), np.uint8))
    write_clip(tmp_path / "clip.mp4")

    def read(path: str) -> np.ndarray:
        url = picture_of(tmp_path, [Artifact(path, "", 0)])
        assert url is not None
        coded = base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))
        return np.asarray(cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_COLOR))

    sheet = read("set")
    assert sheet.shape[1] == 480
    assert sheet.mean((0, 1)) == pytest.approx((255, 0, 0), abs=6), "blue, as OpenCV writes it"
    assert read("clip.mp4").shape == (48, 64, 3)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert picture_of(tmp_path, [Artifact("broken.png", "", 0), Artifact("nothing", "", 0)]) is None


def test_the_page_holds_everything_and_names_nothing_outside(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "preview.png"), np.zeros((30, 40, 3), np.uint8))
    step = Node("b", "step", "b <i>", (("made", "</script>"),), outputs=(Artifact("preview.png", "", 0),))
    text = page(Graph("a", (Node("a", "clip", "a"), step), (Edge("a", "b"),)), tmp_path, {"at": "1234"})
    assert text.count('<g class="node') == 2
    assert text.count("data:image/jpeg;base64,") == 1
    assert text.count("</script>") == 1, "what files are called is no markup"
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert "http" not in text


def test_a_picture_that_is_no_longer_as_recorded_is_not_shown(made: Path) -> None:
    outputs = {node.key: node.outputs for node in graph_of(trace(made, DELIVERABLE)).nodes}
    assert [output.path for output in outputs["training@ada-ben"]] == ["data/training/ada-ben"]
    (made / "data" / "training" / "ada-ben" / "preview.png").write_bytes(b"another")
    outputs = {node.key: node.outputs for node in graph_of(trace(made, DELIVERABLE)).nodes}
    assert outputs["training@ada-ben"] == ()
    assert outputs["extraction@ben"] != ()


def test_in_a_browser_a_node_that_is_linked_to_is_chosen(made: Path) -> None:
    lineage(DELIVERABLE, "--html", "page.html")
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{(made / 'page.html').as_uri()}#training%40ada-ben")
        page.wait_for_selector(".node.chosen")
        chosen = page.eval_on_selector_all(".node.chosen", "all => all.map(e => e.dataset.key)")
        assert chosen == ["training@ada-ben"]
        assert "<dd>training.iterations = 3</dd>" in page.content()
        assert page.query_selector(".node.apart") is None, "everything leads to or from the only training"
