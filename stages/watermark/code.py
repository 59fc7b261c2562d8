"""The code that carries an identifier through noise: a checksum, then a convolutional code, decoded from soft bits.

The convolutional code is the one of rate 1/3 and constraint length 9 of 3GPP TS 25.212 (section 4.2.3.1); it is decoded
by the Viterbi algorithm (Viterbi 1967), which finds the word that correlates best with what was read.
"""

from __future__ import annotations

import binascii
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

IDENTIFIER_BITS: Final = 48
CHECK_BITS: Final = 16
_GENERATORS: Final = (0o557, 0o663, 0o711)
_MEMORY: Final = 8
_STATES: Final = 1 << _MEMORY

MESSAGE_BITS: Final = IDENTIFIER_BITS + CHECK_BITS
CODED_BITS: Final = len(_GENERATORS) * (MESSAGE_BITS + _MEMORY)
"""Eight zeros at the end bring the encoder back to where it began."""


def encoded(identifier: int) -> NDArray[np.float32]:
    """The word of an identifier: (:data:`CODED_BITS`,) float32, each -1 or 1.

    Raises:
        ValueError: the identifier does not fit into :data:`IDENTIFIER_BITS`.
    """
    if not 0 <= identifier < 1 << IDENTIFIER_BITS:
        raise ValueError(f"an identifier has {IDENTIFIER_BITS} bits, which {identifier} has not")
    message = identifier << CHECK_BITS | _check(identifier)
    bits = [message >> place & 1 for place in reversed(range(MESSAGE_BITS))] + [0] * _MEMORY
    outputs, after = _trellis()
    state, word = 0, []
    for bit in bits:
        word.append(outputs[state, bit])
        state = int(after[state, bit])
    return np.concatenate(word)


def decoded(soft: NDArray[np.floating]) -> tuple[int, bool]:
    """The likeliest identifier, and whether its checksum holds.

    Args:
        soft: (:data:`CODED_BITS`,); the sign says which bit, the size how surely.
    """
    outputs, _ = _trellis()
    state = np.arange(_STATES)
    before = (state << 1 & _STATES - 1)[:, None] | np.arange(2)  # the two states from which one is reached
    bit = state >> (_MEMORY - 1)  # a state begins with the bit that led to it
    gains = np.asarray(soft, np.float64).reshape(-1, len(_GENERATORS)) @ outputs.reshape(-1, len(_GENERATORS)).T
    score = np.full(_STATES, -np.inf)
    score[0] = 0.0
    came: list[NDArray[np.intp]] = []
    for gain in gains.reshape(-1, _STATES, 2):
        ways = score[before] + gain[before, bit[:, None]]
        best = ways.argmax(1)
        came.append(best)
        score = ways[state, best]
    here, message = 0, 0
    for step in reversed(range(len(came))):
        if step < MESSAGE_BITS:
            message |= int(bit[here]) << (MESSAGE_BITS - 1 - step)
        here = int(before[here, came[step][here]])
    identifier = message >> CHECK_BITS
    return identifier, _check(identifier) == message & ((1 << CHECK_BITS) - 1)


def _check(identifier: int) -> int:
    """CRC-16-CCITT, begun with ones, so that the identifier 0 has a checksum that is not 0."""
    return binascii.crc_hqx(identifier.to_bytes(IDENTIFIER_BITS // 8, "big"), 0xFFFF)


@cache
def _trellis() -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """What the encoder says, (states, 2, 3) of -1 and 1, and where it goes, (states, 2), by state and next bit."""
    outputs = np.empty((_STATES, 2, len(_GENERATORS)), np.float32)
    after = np.empty((_STATES, 2), np.intp)
    for state in range(_STATES):
        for bit in (0, 1):
            register = bit << _MEMORY | state
            outputs[state, bit] = [1 - 2 * ((register & generator).bit_count() & 1) for generator in _GENERATORS]
            after[state, bit] = register >> 1
    return outputs, after
