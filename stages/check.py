"""``python -m stages.check``: look at settings, footage, consent records and hand decisions before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from stages.admission.footage import require_footage
from stages.consent import require_clip_consent, require_pair_consent, require_record, require_swap_consent
from stages.consent.evidence import require_enrolment
from stages.decisions.handwritten import read_handwritten, require_known_names
from stages.problems import BAD_INPUT, Problem
from stages.settings import Params, load_params


def problems_of(params: Params) -> list[Problem]:
    """Every problem that is plain without reading a frame: consent, missing files, hand decisions, each once."""
    looks: list[Callable[[], object]] = [
        *(partial(require_record, identity) for identity in params.identities),
        *(partial(require_enrolment, identity, params) for identity in params.identities),
        *(partial(require_footage, name, params) for name in params.clips),
        *(partial(require_clip_consent, name, params, "check", noted="nothing") for name in params.clips),
        *(partial(require_pair_consent, name, params, noted="nothing") for name in params.pairs),
        partial(require_known_names, params.clips),
        *(partial(read_handwritten, name) for name in params.clips),
        *(partial(require_swap_consent, name, params, "check", noted="nothing") for name in params.swaps),
    ]
    found: dict[str, Problem] = {}
    for look in looks:
        try:
            look()
        except Problem as problem:
            found.setdefault(str(problem), problem)
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
