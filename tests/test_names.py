"""What a shell completes."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.names import names, names_in


def test_names_of_the_section_that_begin_as_typed(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names_in("swaps")("ada") == ["ada-on-ben"]
    assert names_in("swaps")("") == ["ada-on-ben", "ben-on-ada"]
    (workplace / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(workplace / "deep" / "er")
    assert names("identities") == ["ada", "ben"], "from a folder within the project, too"


@pytest.mark.parametrize("text", ["clips: [", "clips: 3", "- a", ""])
def test_silence_about_faults(tmp_path: Path, text: str) -> None:
    (tmp_path / "params.yaml").write_text(text)
    assert names("clips", tmp_path) == []
