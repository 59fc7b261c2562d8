"""What is seen of a face, as it is stored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from stages.artifacts.visibility import ALL_SEEN, SIZE, packed, unpacked

SHARES = arrays.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(0, 1, width=32))


@given(SHARES)
def test_it_comes_back_within_half_a_step_and_then_as_it_is(visible: NDArray[np.float32]) -> None:
    once = unpacked(packed(visible))
    assert np.abs(once - visible).max() <= 0.5 / 255 + 1e-6
    np.testing.assert_array_equal(unpacked(packed(once)), once)


def test_a_face_that_is_all_seen_takes_some_hundred_bytes() -> None:
    np.testing.assert_array_equal(unpacked(ALL_SEEN), np.ones((SIZE, SIZE), np.float32))
    assert len(ALL_SEEN) < 400


@pytest.mark.parametrize("data", [b"", ALL_SEEN[:40], b"no picture"])
def test_what_is_no_such_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no picture"):
        unpacked(data)
