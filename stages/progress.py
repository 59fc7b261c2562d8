"""The bar: how far, how fast, how long still."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], *, total: int | None, what: str, unit: str = "frame") -> Iterator[Item]:
    """Yield ``items``, showing a bar with a rate and the time left on stderr.

    Args:
        items: what is worked on.
        total: how many there are, None if unknown (then there is a rate but no time left).
        what: the work in a few words, for instance "detection ben".
        unit: what one item is.
    """
    yield from tqdm(items, total=total, desc=what, unit=f" {unit}", **_LOOK)


def bar(*, total: int | None, what: str, unit: str = "frame", initial: int = 0, hidden: bool = False) -> tqdm[Any]:
    """A bar to be moved by hand (``.update(n)``), for work that comes in batches or resumes at ``initial``.

    Where several processes do one work together, all but one keep theirs ``hidden``.
    """
    return tqdm(total=total, desc=what, unit=f" {unit}", initial=initial, disable=hidden, **_LOOK)


_LOOK: Any = {"mininterval": 0.5, "dynamic_ncols": True, "smoothing": 0.1}
