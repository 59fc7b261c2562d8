"""Encoders of hardware: what ffmpeg is told it knows, and where none works it is said, or software does."""

from __future__ import annotations

import hashlib
import logging
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stages.encoding import hardware
from stages.encoding.codecs import CODECS, HARDWARE
from stages.encoding.hardware import chosen, trial
from stages.encoding.settings import EncodingSettings
from stages.problems import Problem
from stages.video import ffmpeg_program
from tests.footage import Case, deliver, extract, lossless, x264

ENCODERS = [(name, codec, encoder) for name, maker in HARDWARE.items() for codec, encoder in maker.codecs.items()]


def help_of(encoder: str) -> str:
    """What the ffmpeg program says of an encoder; empty if it has none such."""
    command = [ffmpeg_program(), "-hide_banner", "-h", f"encoder={encoder}"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return said if said.startswith("Encoder ") else ""


@pytest.mark.parametrize(("name", "codec", "encoder"), ENCODERS)
def test_ffmpeg_knows_every_word_that_an_encoder_is_told(name: Any, codec: str, encoder: str) -> None:
    said = help_of(encoder)
    if not said:
        pytest.skip("this ffmpeg is built without it")
    formats = re.search(r"Supported pixel formats: (.*)", said)
    assert formats is not None
    held = set(formats[1].split())
    assert any(upload in held for upload in HARDWARE[name].uploads.values())
    assert HARDWARE[name].uploads["yuv420p"] in held
    general = {"global_quality", "b:v"}  # of every encoder
    for option in {*HARDWARE[name].rate, *HARDWARE[name].told} - general:
        assert re.search(rf"^  -{option} ", said, re.MULTILINE), option
    if way := HARDWARE[name].told.get("rc"):
        assert re.search(rf"^     {way} ", said, re.MULTILINE)


def test_a_trial_tells_what_works_and_why_not() -> None:
    assert trial(ffmpeg_program(), "libx264", "yuv420p") == ""
    assert "Unknown encoder 'h264_nothing'" in trial(ffmpeg_program(), "h264_nothing", "nv12")


def test_one_that_does_not_work_is_refused_and_auto_takes_software(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With encoders that no ffmpeg has, so that it is the same on machines with hardware."""
    missing = {name: {codec: f"{encoder}_of_none" for codec, encoder in maker.codecs.items()}
               for name, maker in HARDWARE.items()}  # fmt: skip
    for name, maker in HARDWARE.items():
        monkeypatch.setitem(hardware.HARDWARE, name, hardware.Hardware(missing[name], maker.uploads, maker.rate))
    frames = extract(Case("clip", "a.mkv", lossless("yuv420p"), frames=6).make(workplace))
    with pytest.raises(Problem, match=r"nvenc does not encode h264 of yuv420p here: .*Unknown encoder"):
        deliver(frames, workplace / "refused", encoder="nvenc")
    with caplog.at_level(logging.WARNING):
        made = deliver(frames, workplace / "auto", encoder="auto")
    assert "so libx264 does" in caplog.text
    usual = deliver(frames, workplace / "usual")
    assert len({hashlib.sha256(each.video.read_bytes()).hexdigest() for each in (made, usual)}) == 1
    assert "encoder" not in made.facts


def test_the_file_is_made_by_the_encoder_that_was_chosen(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the way of hardware, by another encoder of the CPU in its place: times, colours and samples come through."""
    other = hardware.Hardware({"h264": "libopenh264"}, {"yuv420p": "yuv420p"}, (), {"b:v": "2M"})
    monkeypatch.setitem(hardware.HARDWARE, "nvenc", other)
    if trial(ffmpeg_program(), "libopenh264", "yuv420p"):
        pytest.skip("this ffmpeg has no second encoder of h264")
    frames = extract(Case("times", "a.mov", x264(), rate="24000/1001", frames=12).make(workplace))
    made = deliver(frames, workplace / "out", encoder="nvenc", bitrate=2000)
    assert made.facts["encoder"] == "libopenh264"
    assert made.video.read_bytes() != deliver(frames, workplace / "usual", bitrate=2000).video.read_bytes()


def test_what_the_hardware_can_not_hold_is_told_without_a_trial(workplace: Path) -> None:
    def why(pixel_format: str = "yuv420p", *, lit: bool = False, **settings: Any) -> str:
        with pytest.raises(Problem) as told:
            chosen(EncodingSettings(**settings), pixel_format, lit=lit)
        return str(told.value)

    assert "it takes yuv420p, yuv420p10le only" in why("yuv422p10le", encoder="qsv")
    assert "the clip's light" in why(encoder="nvenc", lit=True)
    assert "set encoding.bitrate" in why(encoder="videotoolbox")
    with pytest.raises(ValueError, match="nvenc does not encode prores; it encodes h264, h265, av1"):
        EncodingSettings(encoder="nvenc", codec="prores")
    assert set(CODECS) >= {codec for _, codec, _ in ENCODERS}
