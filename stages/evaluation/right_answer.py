"""Whether a rendered right answer is one: frame by frame of the performance that the clip shows."""

from __future__ import annotations

from stages.problems import Problem
from stages.settings import NO_TRUTH, Params


def require_right_answer(name: str, params: Params) -> None:
    """Check that a swap's truth and its clip begin together and go on together.

    A trimmed clip's frames are counted anew, so each would be held against another moment of the truth, and so would be
    the controls that are made of it: nothing would tell.

    Args:
        name: of ``params.swaps``.
        params: all settings.

    Raises:
        Problem: the clip is trimmed at its beginning, or thinned out.
    """
    swap = params.swap(name)
    clip = params.clip(swap.clip)
    if swap.truth != NO_TRUTH and (clip.start or clip.every > 1):
        raise Problem(
            f"the right answer is of the whole performance, and the clip '{swap.clip}' is a part of it",
            where=f"params.yaml, swaps.{name}.truth",
            mend=f"take start and every out of clips.{swap.clip}, or set truth: {NO_TRUTH}",
        )
