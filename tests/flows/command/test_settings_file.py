"""What is added to params.yaml is added, and nothing else of the file changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from flows.command.settings_file import add_entry, with_entry
from stages.problems import Problem
from stages.settings import NAME
from tests.conftest import REPOSITORY


@pytest.fixture
def params_file(tmp_path: Path) -> Path:
    return Path(shutil.copy(REPOSITORY / "params.yaml", tmp_path))


def test_a_line_more_at_the_end_of_the_section(params_file: Path) -> None:
    before = params_file.read_text().splitlines()
    params = add_entry(params_file, "clips", "ada-2", {"identity": "ada", "path": "reel.mov", "start": "0:01:12.5"})
    after = params_file.read_text().splitlines()
    line = "  ada-2: {identity: ada, path: reel.mov, start: '0:01:12.5'}"
    place = after.index(line)
    assert after[:place] + after[place + 1 :] == before
    assert after[place - 1].startswith("  ben: {identity: ben, path: ")
    assert params.clip("ada-2").start * 2 == 145


@pytest.mark.parametrize(
    ("section", "name", "entry", "says"),
    [
        ("clips", "ada", {"identity": "ada", "path": "x.mp4"}, "there is a 'ada' already"),
        ("clips", "Ada", {"identity": "ada", "path": "x.mp4"}, "String should match"),
        ("clips", "two", {"identity": "adda", "path": "x.mp4"}, "did you mean 'ada'"),
        ("pairs", "ada-ada", {"a": "ada", "b": "ada"}, "a pair needs two identities"),
    ],
)
def test_what_would_be_refused_is_not_written(
    params_file: Path, section: str, name: str, entry: dict[str, Any], says: str
) -> None:
    before = params_file.read_bytes()
    with pytest.raises(Problem, match=says):
        add_entry(params_file, section, name, entry)
    assert params_file.read_bytes() == before
    assert sorted(path.name for path in params_file.parent.iterdir()) == [".scratch", "params.yaml"]


ADD = """\
import sys
from pathlib import Path
from flows.command.settings_file import add_entry
print("here", flush=True)
sys.stdin.readline()
for number in range(5):
    add_entry(Path("params.yaml"), "identities", f"{sys.argv[1]}-{number}", {})
"""


def test_of_several_that_write_at_once_none_loses_what_another_wrote(params_file: Path) -> None:
    people = ("dan", "eve", "fay", "gus")
    begun = []
    for who in people:
        command = [sys.executable, "-c", ADD, who]
        begun.append(
            subprocess.Popen(command, cwd=params_file.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        )
    for each in begun:
        assert each.stdout is not None
        assert each.stdout.readline() == b"here\n"
    for each in begun:
        assert each.stdin is not None
        each.stdin.write(b"go\n")
    for each in begun:
        each.communicate(timeout=300)
    assert [each.returncode for each in begun] == [0] * len(people)
    added = {f"{who}-{number}" for who in people for number in range(5)}
    assert added <= set(yaml.safe_load(params_file.read_text())["identities"])


def test_a_fault_that_was_there_before_is_told_as_such(params_file: Path) -> None:
    params_file.write_text(params_file.read_text() + "colour: red\n")
    with pytest.raises(Problem, match="unknown key 'colour'"):
        add_entry(params_file, "identities", "eve", {})


SECTIONS = {
    "empty braces": "clips: {}  # none yet\nnext: 1\n",
    "nothing": "clips:\nnext: 1\n",
    "nothing, at the end": "next: 1\nclips:",
    "braces": "clips: {one: {path: a}}  # few\nnext: 1\n",
    "a block": "clips:\n  # the first\n  one: {path: a}  # good\n\n  # more to come\n\nnext: 1\n",
    "a deep block": "clips:\n    one:\n        path: a   # good\n\n# what follows\nnext: 1\n",
    "a block of text": "clips:\n  one:\n    path: |\n      a\n      b\n\nnext: 1\n",
    "a list": "clips:\n  one:\n    path:\n    - a\n    - b # two\nnext: 1\n",
    "without an end of line": "next: 1\nclips:\n  one: {path: a}",
    "Windows": "clips:\r\n  one: {path: a}\r\nnext: 1\r\n",
}


@pytest.mark.parametrize("text", SECTIONS.values(), ids=SECTIONS.keys())
def test_however_the_section_is_written(text: str) -> None:
    after = with_entry(text, "clips", "two", {"path": "b"})
    before = yaml.safe_load(text)
    assert yaml.safe_load(after) == before | {"clips": (before["clips"] or {}) | {"two": {"path": "b"}}}
    assert [part for part in text.split("\n") if "#" in part and "{}" not in part] == [
        part for part in after.replace(", two: {path: b}", "").split("\n") if "#" in part and "none yet" not in part
    ], "comments stay in their lines"


plain = st.text("ab 1:#,{}[]'\"\\-&*!|>%@?é~", max_size=12)
entries = st.dictionaries(
    st.sampled_from(["path", "start", "identity"]), plain | st.integers() | st.just("0:01:12.5"), max_size=3
)


@settings(deadline=None)
@given(st.sampled_from(sorted(SECTIONS.values())), entries)
def test_whatever_the_entry_says(text: str, entry: dict[str, Any]) -> None:
    before = yaml.safe_load(text)
    after = yaml.safe_load(with_entry(text, "clips", "two", entry))
    assert after == before | {"clips": (before["clips"] or {}) | {"two": entry}}


@settings(deadline=None)
@given(st.sampled_from(sorted(SECTIONS.values())), *[st.from_regex(NAME, fullmatch=True)] * 2)
@example(SECTIONS["a block"], "08", "1e2")
@example(SECTIONS["a block"], "01_08", "1_0e5")
@example(SECTIONS["a block"], "2026-11-30", "null")
def test_a_name_is_text_to_dvc_too(text: str, name: str, identity: str) -> None:
    """DVC reads YAML 1.2, to which 08 is a number; of keys that are numbers it makes no stages."""
    if name in (yaml.safe_load(text)["clips"] or ()):
        return
    after = YAML(typ="safe").load(with_entry(text, "clips", name, {"identity": identity}))
    assert after["clips"][name] == {"identity": identity}
