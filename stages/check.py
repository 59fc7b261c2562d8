"""``python -m stages.check``: look at settings, footage and consent records before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

from stages.consent import Role, read_consent, require_consent
from stages.problems import BAD_INPUT, Problem
from stages.settings import Params, load_params


def problems_of(params: Params) -> list[Problem]:
    """Every problem that is plain without reading a frame: consent records and missing files, each once."""
    found: dict[str, Problem] = {}

    def note(found_problem: Problem) -> None:
        found.setdefault(str(found_problem), found_problem)

    for identity in params.identities:
        try:
            read_consent(identity)
        except Problem as problem:
            note(problem)
    for name, clip in params.clips.items():
        rendered = clip.path.parts[:2] == ("data", "performances")
        if not rendered and not clip.path.is_file():
            note(
                Problem(
                    f"the clip '{name}' is not there",
                    where=clip.path,
                    mend="put it there or correct clips.*.path in params.yaml",
                )
            )
    for swap in params.swaps.values():
        uses: tuple[tuple[str, Role], ...] = ((swap.source, "source"), (swap.target, "target"))
        for identity, role in uses:
            try:
                require_consent(identity, role)
            except Problem as problem:
                note(problem)
    return list(found.values())


def main() -> int:
    """Print all problems; the exit status says whether there are any."""
    try:
        problems = problems_of(load_params(Path("params.yaml")))
    except Problem as problem:
        problems = [problem]
    for each in problems:
        print(f"error: {each}", file=sys.stderr)
    return BAD_INPUT if problems else 0


if __name__ == "__main__":
    sys.exit(main())
