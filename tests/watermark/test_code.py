"""Identifiers through noise: what is read is what was written, or is known to be wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.watermark.code import CODED_BITS, IDENTIFIER_BITS, decoded, encoded

identifiers = st.integers(0, (1 << IDENTIFIER_BITS) - 1)


@given(identifiers)
def test_what_is_written_is_read(identifier: int) -> None:
    assert decoded(encoded(identifier)) == (identifier, True)


@given(identifiers, st.lists(st.integers(0, CODED_BITS - 1), max_size=8, unique=True))
def test_eight_wrong_bits_anywhere_are_corrected(identifier: int, wrong: list[int]) -> None:
    soft = encoded(identifier).copy()
    soft[wrong] *= -1
    if len(wrong) <= 8:
        assert decoded(soft) == (identifier, True)
    found, checked = decoded(soft)
    assert found == identifier or not checked


@given(identifiers, st.integers(0, 1 << 30))
def test_noise_as_strong_as_the_bits_does_no_harm_mostly(identifier: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    soft = encoded(identifier) * 1.5 + rng.normal(size=CODED_BITS)
    assert decoded(soft) == (identifier, True)


def test_noise_alone_seldom_passes_the_check() -> None:
    rng = np.random.default_rng(0)
    assert not any(decoded(rng.normal(size=CODED_BITS))[1] for _ in range(300))


@pytest.mark.parametrize("wrong", [-1, 1 << IDENTIFIER_BITS])
def test_too_large_an_identifier_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        encoded(wrong)
