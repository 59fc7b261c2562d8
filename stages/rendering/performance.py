"""What a performer does over time: head, gaze, blinks and speech-like mouth motion, from a seed.

Speech: syllables at 3 to 5 a second in phrases with pauses between, each a consonant and a vowel shape. Blinks: 2 to
10 s apart, 150 to 300 ms long, closing faster than opening. Gaze: saccades, half of them back to the camera. Head:
turns along minimum-jerk paths (Flash and Hogan 1985) over a slow sway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d
from scipy.special import expit

from stages.rendering.expressions import CHANNELS, CONSONANTS, VISEMES, VOWELS, units_of
from stages.rendering.posing import Pose

F64 = NDArray[np.float64]

LOWER = 3.0  # cm from the middle of the picture down to the neck's pivot


@dataclass(frozen=True)
class Acting:
    """How a performance is played.

    yaw, pitch, roll: degrees, half-widths of where the head turns to. talking: share of the mouth motion of speech,
    0 silent, 1 lively. smiling: 0 never, 1 often. distance: cm from the camera to the neck's pivot. sway: cm.
    """

    yaw: float = 32.0
    pitch: float = 14.0
    roll: float = 9.0
    talking: float = 1.0
    smiling: float = 0.6
    distance: float = 75.0
    sway: float = 1.5


def perform(seed: int, frames: int, rate: float, acting: Acting) -> pd.DataFrame:
    """A performance of `frames` rows at `rate` frames a second.

    Columns, all float: yaw, pitch, roll, gaze_yaw, gaze_pitch (degrees), x, y, z (cm, camera space), camera_x, camera_y
    (the hand-held camera's wander, in 1/1000 of the picture's height), voice (0..1, loudness) and every channel of
    `expressions.CHANNELS` (0..1).
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    track = _Track(rng, frames, rate)
    columns: dict[str, F64] = dict(zip(("yaw", "pitch", "roll"), track.head(acting), strict=True))
    gaze = track.gaze(columns["yaw"], columns["pitch"])
    columns["gaze_yaw"], columns["gaze_pitch"] = gaze
    columns["x"] = track.sway(acting.sway)
    columns["y"] = LOWER + track.sway(0.5 * acting.sway)
    columns["z"] = acting.distance + track.sway(1.5 * acting.sway)
    columns["camera_x"], columns["camera_y"] = track.sway(2.5), track.sway(2.5)
    mouth, columns["voice"] = track.speech(acting.talking)
    moods = track.moods(acting.smiling)
    right, left = track.blinks(columns["yaw"])
    for channel in CHANNELS:
        value = mouth.get(channel, 0.0) + moods.get(channel, 0.0)
        columns[channel] = np.clip(np.broadcast_to(value, (frames,)), 0.0, 1.0)
    columns["blink_right"], columns["blink_left"] = right, left
    return pd.DataFrame(columns).astype(np.float32)


def pose_at(track: pd.DataFrame, frame: int) -> Pose:
    """The pose of one row."""
    row = track.iloc[frame]
    return Pose(
        yaw=float(row["yaw"]),
        pitch=float(row["pitch"]),
        roll=float(row["roll"]),
        position=(float(row["x"]), float(row["y"]), float(row["z"])),
        gaze_yaw=float(row["gaze_yaw"]),
        gaze_pitch=float(row["gaze_pitch"]),
        units=units_of({name: float(row[name]) for name in CHANNELS}),
    )


_SLOW: Final = 0.45
"""Seconds over which a sway is smooth, as the standard deviation of a Gaussian."""


class _Track:
    """The parts of a performance; each draws from one generator, in a fixed order."""

    def __init__(self, rng: np.random.Generator, frames: int, rate: float) -> None:
        self.rng, self.frames, self.rate = rng, frames, rate
        self.time = np.arange(frames) / rate
        self.length = frames / rate

    def sway(self, amount: float) -> F64:
        """Smooth noise of standard deviation `amount`, below about 0.5 Hz."""
        noise = gaussian_filter1d(self.rng.standard_normal(self.frames + 200), _SLOW * self.rate)[100:-100]
        # the deviation of such noise in the long run: that of a moment is next to nothing, and would throw the head
        # out of the picture
        usual = float((2.0 * np.sqrt(np.pi) * _SLOW * self.rate) ** -0.5)
        return np.asarray(amount * noise / max(float(noise.std()), 0.5 * usual), np.float64)

    def head(self, acting: Acting) -> tuple[F64, F64, F64]:
        """Yaw, pitch, roll: held poses joined by minimum-jerk turns, over a sway."""
        times, poses = [0.0], [self.rng.uniform(-0.3, 0.3, 3)]
        while times[-1] < self.length:
            begin = times[-1] + self.rng.uniform(0.3, 1.5)
            times += [begin, begin + self.rng.uniform(0.6, 1.6)]
            poses += [poses[-1], np.clip(self.rng.normal(0.0, 0.55, 3), -1.0, 1.0)]
        path = np.array(poses) * [acting.yaw, acting.pitch, acting.roll]
        angles = np.empty((self.frames, 3))
        segment = np.clip(np.searchsorted(times, self.time, side="right") - 1, 0, len(times) - 2)
        starts, ends = np.array(times)[segment], np.array(times)[segment + 1]
        s = np.clip((self.time - starts) / np.maximum(ends - starts, 1e-9), 0.0, 1.0)
        jerk = s**3 * (10.0 - 15.0 * s + 6.0 * s * s)
        angles = path[segment] + jerk[:, None] * (path[segment + 1] - path[segment])
        angles += np.stack([self.sway(1.2), self.sway(1.0), self.sway(0.6)], 1)
        angles[:, 1] += self._nods()
        return angles[:, 0], angles[:, 1], angles[:, 2]

    def _nods(self) -> F64:
        """Small beats of the head, as speakers make."""
        beat = np.zeros(self.frames)
        for at in self._events(0.8, 2.5):
            beat -= self.rng.uniform(0.5, 2.5) * np.exp(-(((self.time - at) / 0.16) ** 2))
        return beat

    def _events(self, least: float, most: float) -> list[float]:
        """Times, `least` to `most` seconds apart."""
        events, at = [], self.rng.uniform(0.2, most)
        while at < self.length:
            events.append(at)
            at += self.rng.uniform(least, most)
        return events

    def gaze(self, yaw: F64, pitch: F64) -> tuple[F64, F64]:
        """Gaze in the head: fixations on the camera or beside it, with saccades of about two frames between."""
        aim = np.zeros((self.frames, 2))
        for at in self._events(0.5, 2.2):
            offset = self.rng.normal(0.0, [9.0, 5.0]) if self.rng.random() < 0.5 else np.zeros(2)
            aim[self.time >= at] = offset
        aim = gaussian_filter1d(aim, 0.02 * self.rate, axis=0, mode="nearest")
        # the eyes counter the head's turn as far as is comfortable
        return np.clip(aim[:, 0] - 0.7 * yaw, -26.0, 26.0), np.clip(aim[:, 1] - 0.6 * pitch, -16.0, 16.0)

    def blinks(self, yaw: F64) -> tuple[F64, F64]:
        """Closure of the right and the left eye."""
        right, left = np.zeros(self.frames), np.zeros(self.frames)
        at = float(self.rng.uniform(0.8, 2.5))
        while at < self.length:
            long, depth = self.rng.uniform(0.15, 0.30), self.rng.uniform(0.92, 1.0)
            for eye, lag in ((right, 0.0), (left, self.rng.uniform(-0.008, 0.008))):
                phase = (self.time - at - lag) / long
                closing = np.clip(phase / 0.35, 0.0, 1.0) * np.clip((1.0 - phase) / 0.5, 0.0, 1.0)
                np.maximum(eye, depth * np.sin(np.pi / 2 * np.clip(closing, 0.0, 1.0)), out=eye)
            at += float(np.clip(2.0 + self.rng.gamma(2.0, 1.1), 2.0, 10.0))
        return right, left

    def speech(self, talking: float) -> tuple[dict[str, F64], F64]:
        """Mouth channels and the voice's loudness."""
        times, shapes, loud = [-1.0, 0.0], ["rest", "rest"], [0.0, 0.0]
        at = float(self.rng.uniform(0.2, 0.8))
        while at < self.length:
            end = at + self.rng.uniform(1.3, 3.8)
            times.append(at)
            shapes.append("rest")
            loud.append(0.0)
            while at < end:
                syllable = 1.0 / self.rng.uniform(3.0, 5.0)
                strength = self.rng.uniform(0.6, 1.0)
                times += [at + 0.3 * syllable, at + 0.7 * syllable]
                shapes += [str(self.rng.choice(CONSONANTS)), str(self.rng.choice(VOWELS))]
                loud += [0.15 * strength, strength]
                at += syllable
            times.append(at + 0.12)
            shapes.append("rest")
            loud.append(0.0)
            at += self.rng.uniform(0.45, 1.4)
        times.append(max(at, self.length) + 1.0)
        shapes.append("rest")
        loud.append(0.0)
        mouth = {}
        # a dict keeps the order in which names come; a set's changes from process to process
        for channel in dict.fromkeys(name for shape in VISEMES.values() for name in shape):
            keys = np.array([VISEMES[shape].get(channel, 0.0) for shape in shapes])
            keys *= talking * (0.75 + 0.5 * self.rng.random(len(keys)))
            mouth[channel] = gaussian_filter1d(PchipInterpolator(times, keys)(self.time), 0.02 * self.rate)
        return mouth, np.clip(talking * PchipInterpolator(times, loud)(self.time), 0.0, 1.0)

    def moods(self, smiling: float) -> dict[str, F64]:
        """Slow expressions over the speech: smiles, raised and knitted brows, narrowed and wide eyes."""
        return {
            "smile": smiling * self._swells(2.5, 6.0, 0.7),
            "frown": 0.3 * self._swells(5.0, 12.0, 0.6),
            "brows_up": self._swells(1.5, 5.0, 0.7),
            "brows_down": self._swells(2.5, 7.0, 0.4),
            "squint": self._swells(3.0, 8.0, 0.4),
            "wide": self._swells(3.0, 9.0, 0.5),
            "sneer": self._swells(6.0, 14.0, 0.35),
        }

    def _swells(self, least: float, most: float, height: float) -> F64:
        value = np.zeros(self.frames)
        for at in self._events(least, most):
            rise, hold = self.rng.uniform(0.25, 0.5), self.rng.uniform(0.2, 1.6)
            up = expit((self.time - at) / (rise / 4))
            down = expit((self.time - at - rise - hold) / (rise / 3))
            value = np.maximum(value, self.rng.uniform(0.35, 1.0) * height * (up - down))
        return value
