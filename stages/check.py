"""``python -m stages.check``: look at settings, footage, consent records and hand decisions before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from stages.admission.footage import require_footage
from stages.consent import require_clip_consent, require_pair_consent, require_record, require_swap_consent
from stages.consent.evidence import require_enrolment
from stages.credentials.signer import Signer
from stages.decisions.handwritten import read_handwritten, require_known_names
from stages.encoding.coding import coding_for
from stages.encoding.marking import require_room
from stages.encoding.settings import EncodingSettings
from stages.evaluation.right_answer import require_right_answer
from stages.extraction.storable import holdable
from stages.problems import BAD_INPUT, Problem
from stages.settings import Params, load_params
from stages.video import facts_of, open_clip
from stages.watermark import key_in


def problems_of(params: Params) -> list[Problem]:
    """Every problem that is plain without reading a frame, each once: consent, missing files, hand decisions, clips
    that the deliverable's codec can not hold, and what marks and signs."""
    looks: list[Callable[[], object]] = [
        *(partial(require_record, identity) for identity in params.identities),
        *(partial(require_enrolment, identity, params) for identity in params.identities),
        *(partial(require_footage, name, params) for name in params.clips),
        *(partial(require_clip_consent, name, params, "check", noted="nothing") for name in params.clips),
        *(partial(require_pair_consent, name, params, noted="nothing") for name in params.pairs),
        partial(require_known_names, params.clips),
        *(partial(read_handwritten, name) for name in params.clips),
        *(partial(require_swap_consent, name, params, "check", noted="nothing") for name in params.swaps),
        *(partial(require_coding, name, params) for name in params.swaps),
        *(partial(require_right_answer, name, params) for name in params.swaps),
        *([partial(require_marking, params.encoding)] if params.swaps else []),
    ]
    found: dict[str, Problem] = {}
    for look in looks:
        try:
            look()
        except Problem as problem:
            found.setdefault(str(problem), problem)
    return list(found.values())


def require_coding(swap: str, params: Params) -> None:
    """What `encoding` will say of a swap's clip, asked before anything runs: it encodes last, after hours of training.

    Args:
        swap: a name of ``params.swaps``.
        params: all settings.

    Raises:
        Problem: the codec can not hold the clip, as far as its file tells, and the settings let nothing be converted;
            it is too small for the mark; the file can not be read. A folder's pictures are not looked at.
    """
    path = params.clip(params.swap(swap).clip).path
    try:
        if not path.is_file():
            return
    except OSError:  # both are told by who looks for it
        return
    with open_clip(path) as container:
        facts = facts_of(container)
    kept = holdable(facts.pixel_format)
    if kept is None:  # extraction refuses it, which comes first
        return
    try:
        coding_for(facts.model_copy(update={"pixel_format": kept}), params.encoding)
    except Problem as problem:
        raise Problem(problem.what, where=f"{path}: {problem.where}", mend=problem.mend) from None
    if params.encoding.watermark:
        require_room(facts, path)


def require_marking(settings: EncodingSettings) -> None:
    """Whether there is what marks and signs deliverables, asked before anything runs.

    Raises:
        Problem: the mark's key, or the signer, is missing or can not be used.
    """
    if settings.watermark:
        key_in(settings.watermark_key)
    if settings.credential.sign:
        Signer.of(settings.credential)


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
