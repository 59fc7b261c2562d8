"""What a flow that was called as part of another one ended with."""

from __future__ import annotations

from typing import Any


def data_of(state: Any) -> Any:
    """What a flow gave with its final state.

    Args:
        state: Prefect's, of a flow that keeps no results.

    Raises:
        Exception: what the flow raised, if it did.
    """
    # With raise_on_failure a Failed state that has data would raise, too.
    data = state.result(raise_on_failure=False)
    if isinstance(data, BaseException):
        raise data
    return data
