"""What the stages' own bars print, read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flows.children import LineReader
from flows.pages.bars import Bar, read

TRAINING = """\
from stages.progress import bar
with bar(total=8, what="training ada-ben", unit="it", initial=2) as shown:
    shown.set_postfix_str("ada 0.250, ben 0.125")
    shown.update(6)
"""
UNCOUNTED = """\
from stages.progress import progress
for _ in progress(iter(range(3)), total=None, what="looking for the mark"):
    pass
"""


def printed(program: str) -> list[Bar]:
    """The states of the bars that a program prints where nobody looks."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    reader = LineReader(0)
    lines = [*reader.feed(done.stderr), *reader.close()]
    bars = [read(line) for line in lines]
    assert all(bars), lines
    return [bar for bar in bars if bar is not None]


def test_a_training_is_told_with_iterations_and_losses() -> None:
    bars = printed(TRAINING)
    assert (bars[0].done, bars[0].total, bars[0].percent) == (2, 8, 25.0)
    last = bars[-1]
    assert (last.what, last.done, last.unit, last.percent) == ("training ada-ben", 8, "it", 100.0)
    assert last.rate is not None
    assert last.note == "ada 0.250, ben 0.125"
    assert last.told().startswith("training ada-ben: 8 of 8 iterations, ")
    assert last.told().endswith(" iterations a second, loss ada 0.250, ben 0.125")


def test_a_bar_without_a_total_only_counts() -> None:
    last = printed(UNCOUNTED)[-1]
    assert (last.what, last.done, last.total, last.unit, last.percent) == (
        "looking for the mark",
        3,
        None,
        "frame",
        None,
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "detection ben:  45%|████▌     | 45/100 [00:09<00:11,  5.00 frame/s]",
            "detection ben: 45 of 100 frames, 5 frames a second, 00:11 left",
        ),
        (
            "encoding ada-on-ben:   2%|▏         | 1/50 [00:04<03:16,  4.00s/ frame]",
            "encoding ada-on-ben: 1 of 50 frames, 0.25 frames a second, 03:16 left",
        ),
        (
            "compositing ada-on-ben: measuring:   0%|          | 0/48 [00:00<?, ? face/s]",
            "compositing ada-on-ben: measuring: 0 of 48 faces",
        ),
        (
            "training ada-ben:  50%|█████     | 4500/9000 [1:15:00<1:15:00,  1.00 it/s, ada 0.123, ben 0.2",
            "training ada-ben: 4500 of 9000 iterations, 1 iterations a second, 1:15:00 left, loss ada 0.123, ben 0.2",
        ),
    ],
)
def test_what_is_told(line: str, told: str) -> None:
    bar = read(line)
    assert bar is not None
    assert bar.told() == told


@pytest.mark.parametrize(
    "line",
    [
        "Running stage 'training@ada-ben':",
        "> python -m stages.training ada-ben",
        "goes on from iteration 3 of 9",
        "a | b",
    ],
)
def test_other_lines_are_no_bars(line: str) -> None:
    assert read(line) is None
