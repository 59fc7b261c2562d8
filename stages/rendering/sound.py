"""A speech-like voice in step with the mouth: glottal pulses through formants that the mouth's shape sets.

Source and filter (Fant 1960): a pulse train with a falling spectrum, three resonators in cascade (Klatt 1980) whose
first frequency rises with the jaw's opening and whose second falls with rounded and rises with spread lips, and noise
for consonants. It says nothing; it is there so that a clip has sound whose synchrony can be heard and measured.
"""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray

F64 = NDArray[np.float64]

RATE = 48_000  # samples a second
FEMALE, MALE = 205.0, 115.0  # Hz


def speak(track: pd.DataFrame, rate: float, pitch: float, seed: int) -> NDArray[np.float32]:
    """The voice of a performance.

    Args:
        track: of `performance.perform`.
        rate: its rows a second.
        pitch: mean fundamental frequency in Hz.
        seed: draws intonation and noise.

    Returns:
        (n,) float32 in -1..1 at 48 kHz, as long as the track.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    count = round(len(track) / rate * RATE)
    time = np.arange(count) / RATE
    at = (np.arange(len(track)) + 0.5) / rate

    def follow(*names: str) -> F64:
        return np.interp(time, at, sum(track[name].to_numpy(np.float64) for name in names))

    voice, jaw = follow("voice"), follow("jaw")
    rounded, spread, closed = follow("pucker", "funnel"), follow("stretch", "smile"), follow("press", "tuck")
    slow = np.interp(time, np.linspace(0.0, time[-1], 2 + len(track) // 8), rng.normal(0.0, 1.0, 2 + len(track) // 8))
    frequency = pitch * np.exp(0.09 * slow + 0.12 * (voice - 0.5))
    source = _pulses(frequency, 0.004 * rng.standard_normal(count))
    breath = rng.standard_normal(count)
    excitation = source * voice**1.3 + 0.02 * breath * np.clip(voice, 0.0, 0.4)
    scale = (pitch / 150.0) ** 0.25  # shorter vocal tracts have higher formants
    first = scale * (280.0 + 850.0 * jaw)
    second = scale * np.clip(1500.0 - 900.0 * rounded + 900.0 * spread - 200.0 * jaw, 650.0, 2500.0)
    tone = excitation
    for centre, width in ((first, 70.0), (second, 100.0), (np.full(count, 2600.0 * scale), 160.0)):
        tone = _resonate(tone, centre, width)
    tone *= 1.0 - 0.8 * np.clip(2.0 * closed, 0.0, 1.0)
    tone += 2e-4 * breath  # the room
    return (0.5 * tone / max(float(np.abs(tone).max()), 1e-9)).astype(np.float32)


@numba.njit(cache=True, nogil=True)
def _pulses(frequency: F64, jitter: F64) -> F64:
    """Rosenberg's glottal pulse (1971), differentiated, at an instantaneous frequency (n,) Hz."""
    out = np.zeros(frequency.shape[0])
    phase, last = 0.0, 0.0
    for i in range(frequency.shape[0]):
        phase += frequency[i] * (1.0 + jitter[i]) / 48000.0
        phase -= np.floor(phase)
        if phase < 0.4:
            flow = 0.5 * (1.0 - np.cos(np.pi * phase / 0.4))
        elif phase < 0.56:
            flow = np.cos(np.pi / 2.0 * (phase - 0.4) / 0.16)
        else:
            flow = 0.0
        out[i] = flow - last
        last = flow
    return out


@numba.njit(cache=True, nogil=True)
def _resonate(signal: F64, centre: F64, width: float) -> F64:
    """A two-pole resonator of unit gain at 0 Hz with a centre (n,) Hz that moves and a bandwidth in Hz."""
    out = np.zeros(signal.shape[0])
    one, two = 0.0, 0.0
    radius = np.exp(-np.pi * width / 48000.0)
    for i in range(signal.shape[0]):
        b = 2.0 * radius * np.cos(2.0 * np.pi * centre[i] / 48000.0)
        c = -radius * radius
        value = (1.0 - b - c) * signal[i] + b * one + c * two
        out[i] = value
        two, one = one, value
    return out
