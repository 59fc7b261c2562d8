"""Which records let footage in: tried on a copy, so that a refusal leaves everything as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.ingestion.agreement import find_agreement
from flows.ingestion.inbox import Inbox
from flows.ingestion.taking import Arrival, take_in
from stages.consent import consent_path, read_consent
from stages.consent.filing import write_record
from stages.consent.merkle import footage_root
from stages.problems import Problem
from tests.conftest import write_clip
from tests.flows.upkeep.conftest import lay_footage, lay_record, tree
from tests.records import put_record


def take(inbox: Path, clip: str = "eve-1") -> Arrival:
    """Take one file in, without Prefect and without the stages."""
    opened = Inbox.open(str(inbox), Path.cwd())
    found = next(each for each in opened.footage if each.stem == clip)
    return take_in(found, opened, 0.0, lambda line: None)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clips": ["eve-2"]}, "no consent record beside it that names the clip 'eve-1'"),
        ({"clips": ["eve-1"], "roles": ["source"]}, "roles: it does not allow 'training'"),
        (
            {"clips": ["eve-1"], "term": {"given": "2020-01-01", "expires": "2020-12-31"}},
            "term.expires: it ended on 2020-12-31",
        ),
        ({"clips": ["eve-1"], "signers": {"subject": "eve"}}, "signatures"),
        (
            {"clips": ["eve-1"], "signers": {"subject": "fay", "controller": "studio"}},
            "by a key that is not trusted here",
        ),
        (
            {
                "clips": ["eve-1"],
                "evidence": {
                    "document": {"sha256": "0" * 64, "kept": "nowhere"},
                    "footage": {
                        "merkle_root": footage_root({"eve-1": "1" * 64}),
                        "clips": {"eve-1": "1" * 64},
                    },
                },
            },
            "is not the footage that was agreed on",
        ),
    ],
)
def test_a_record_that_does_not_hold_lets_nothing_in(
    project: Path, inbox: Path, changes: dict[str, object], told: str
) -> None:
    lay_footage(inbox, "eve-1")
    lay_record(inbox, "eve", **changes)
    before = tree(project)
    arrival = take(inbox)
    assert arrival.state == "refused"
    assert told in arrival.reason
    assert arrival.mend
    assert "/consent/keys" not in arrival.mend.replace("data/consent/keys", "")
    assert tree(project) == before


def test_a_newer_record_takes_the_place_of_the_one_in_force_and_an_older_one_does_not(
    project: Path, inbox: Path
) -> None:
    first = read_consent("ada")
    lay_footage(inbox, "ada-2")
    record = lay_record(inbox, "ada", clips=["ada", "ada-2"], record_id="ada-2", prior_record_hash=first.hash)
    assert take(inbox, "ada-2").state == "new"
    assert read_consent("ada").record_id == "ada-2"
    assert Path("data/consent/history/ada-1.yaml").is_file()

    record.unlink()
    lay_footage(inbox, "ada-3")
    write_record(inbox / "ada.yaml", first)
    assert "names the clip 'ada-3'" in take(inbox, "ada-3").reason
    lay_record(inbox, "ada", clips=["ada", "ada-3"], record_id="ada-3", prior_record_hash=first.hash)
    arrival = take(inbox, "ada-3")
    assert arrival.state == "refused"
    assert "another record was put in force" in arrival.reason
    assert read_consent("ada").record_id == "ada-2"


def test_a_withdrawn_record_and_several_people_are_refused(project: Path, inbox: Path) -> None:
    lay_footage(inbox, "eve-1")
    record = lay_record(inbox, "eve", clips=["eve-1"])
    kept = record.read_text()
    record.write_text(kept + "status: revoked\n")
    assert "it is no YAML" in take(inbox).reason
    record.write_text(kept.replace("status: active", "status: revoked"))
    assert "status: the consent was withdrawn" in take(inbox).reason
    lay_record(inbox, "ada", clips=["eve-1"])
    opened = Inbox.open(str(inbox), project)
    with pytest.raises(Problem, match="records of several people name the clip 'eve-1': ada, eve"):
        find_agreement(opened.footage[0], "eve-1", opened)


def test_other_content_under_a_clip_s_name_is_refused(project: Path, inbox: Path) -> None:
    put_record(project / "data/consent", "eve", clips=["eve-1"])
    film = lay_footage(inbox, "eve-1")
    assert take(inbox).state == "new"
    film.write_bytes(film.read_bytes() + b"more")
    arrival = take(inbox)
    assert arrival.state == "refused"
    assert "there is a clip 'eve-1' of other content already" in arrival.reason
    assert consent_path("eve").is_file()


def test_a_film_that_breaks_off_is_refused(project: Path, inbox: Path) -> None:
    put_record(project / "data/consent", "eve", clips=["eve-1"])
    whole = inbox / "eve-1.mkv"
    write_clip(whole, frames=40)
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) * 2 // 3])
    before = tree(project)
    arrival = take(inbox)
    assert arrival.state == "refused"
    assert "its end is missing" in arrival.reason
    assert "copy it there once more" in arrival.mend
    assert tree(project) == before
    whole.write_bytes(content)  # it went on
    assert take(inbox).state == "new"
