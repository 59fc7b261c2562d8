"""Lineage for other tools: OpenLineage and W3C PROV."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from prov.model import ProvActivity, ProvDerivation, ProvDocument, ProvEntity
from typer.testing import CliRunner

from flows.lineage.__main__ import app
from flows.lineage.provenance import prov_document
from flows.lineage.trace import trace
from tests.flows.conftest import hashes

DELIVERABLE = "data/encoding/ada-on-ben/deliverable.mp4"


def export(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, ["export", DELIVERABLE, *arguments])
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.stderr


def test_an_event_for_each_step_with_versions_settings_consent_and_code(made: Path) -> None:
    events = [json.loads(line) for line in export().splitlines()]
    jobs = [event["job"]["name"] for event in events]
    assert jobs[-2:] == ["encoding@ada-on-ben", "evaluation@ada-on-ben"]
    encoding = events[-2]
    assert encoding["eventType"] == "COMPLETE"
    (output,) = encoding["outputs"]
    assert output["facets"]["version"]["datasetVersion"] == f"md5:{hashes(made)['data/encoding/ada-on-ben']}"
    assert output["outputFacets"]["outputStatistics"]["fileCount"] == 1
    made_before = {out["name"] for event in events for out in event["outputs"]}
    assert {item["name"] for item in encoding["inputs"]} & made_before == {
        "data/training/ada-ben",
        "data/extraction/ben",
    }
    settings = encoding["run"]["facets"]["executionParameters"]["parameters"]
    assert {"key": "swaps.ada-on-ben.source", "value": "ada"} in settings
    tags = encoding["run"]["facets"]["tags"]["tags"]
    assert {"key": "consent.ada", "value": "ada-1: active", "source": "likeness"} in tags
    code = encoding["job"]["facets"]["sourceCodeLocation"]
    assert (code["type"], code["path"], len(code["version"])) == ("git", "stages/step.sh", 40)


def test_the_same_lineage_gives_the_same_events(made: Path) -> None:
    assert export() == export()
    assert export("--namespace", "other") != export()
    export("--output", "events.jsonl")
    assert (made / "events.jsonl").read_text() == export()


@contextmanager
def listening(status: int) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A server that takes what Marquez takes."""
    received: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, json.loads(body)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()


@pytest.mark.usefixtures("made")
def test_events_are_sent_to_a_server_or_the_reason_is_told() -> None:
    with listening(201) as (url, received):
        assert export("--url", url) == f"5 events sent to {url}\n"
    assert {path for path, _ in received} == {"/api/v1/lineage"}
    assert [event for _, event in received] == [json.loads(line) for line in export().splitlines()]
    with listening(404) as (url, _):
        assert "does not take OpenLineage events" in export("--url", url, status=2)
    assert "does not take OpenLineage events" in export("--url", url, status=2), "nobody listens there any more"


def test_prov_comes_back_from_json_as_it_was(made: Path) -> None:
    said = export("--form", "prov")
    read = ProvDocument.deserialize(content=said, format="json")
    assert read == prov_document(trace(made, DELIVERABLE))
    activities = {str(record.identifier) for record in read.get_records(ProvActivity)}
    assert any(name.startswith("step:encoding@ada-on-ben/") for name in activities)
    labels = {record.label for record in read.get_records(ProvEntity)}
    assert {"footage/ben.txt", "data/consent/ada.yaml", "data/encoding/ada-on-ben"} <= labels


def test_prov_leads_from_the_deliverable_to_the_clip(made: Path) -> None:
    document = prov_document(trace(made, DELIVERABLE))
    derived = {(str(r.args[0]), str(r.args[1])) for r in document.get_records(ProvDerivation)}
    md5 = hashes(made)
    open_, reached = [f"artifact:data/encoding/ada-on-ben/{md5['data/encoding/ada-on-ben']}"], set()
    while open_:
        here = open_.pop()
        reached.add(here)
        open_ += [used for made_, used in derived if made_ == here and used not in reached]
    assert any(name.startswith("artifact:footage/ben.txt/") for name in reached)
    assert not any("cyd" in name for name in reached)
