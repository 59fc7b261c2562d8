"""``python -m stages.bench.credentials``: what signing costs, beside the encoding that it is a part of.

The finished frames of a swap are encoded by each codec without a credential. Then the file is signed and read back, and
the credential checked once more as ``verify`` does without looking for a mark. Times are processor time of this process
and of ffmpeg, which does not grow when other programs keep the machine busy.
"""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final, ParamSpec, TypeVar

import typer

from stages.artifacts.frames import Frames
from stages.bench.program import main
from stages.credentials.origin import Origin
from stages.credentials.provenance import Provenance
from stages.credentials.settings import CredentialSettings
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import encode
from stages.verify.findings import look

Given = ParamSpec("Given")
Made = TypeVar("Made")

CODECS: Final = ("h264", "prores", "ffv1")


def measure(finished: Frames, audio: Path | None, codecs: tuple[str, ...] = CODECS) -> Iterator[str]:
    """The lines of the table, as they come.

    Args:
        finished: frames of a swap.
        audio: the clip's sound.
        codecs: to encode them by.

    Raises:
        Problem: they can not be encoded or signed.
    """
    yield "| codec | file | encoding | signing and reading back | of encoding | file grows by | reading again |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    origin = Origin("clip", "0" * 64, "0" * 64, "0" * 64, "0" * 64, {})
    provenance = Provenance.of(origin, CredentialSettings())
    for codec in codecs:
        settings = EncodingSettings.model_validate({"codec": codec, "pixel_format": "nearest"})
        with tempfile.TemporaryDirectory() as folder:
            encoding, made = spent(encode, finished, audio, Path(folder), settings, {})
            video, size = made.video, made.video.stat().st_size
            signing, _ = spent(provenance.sign, video, "0" * 12)
            grown = sum(path.stat().st_size for path in (video, video.with_suffix(".c2pa")) if path.exists()) - size
            again, _ = spent(look, video, b"", Path(folder), None)
        yield (
            f"| {codec} | {size / 1e6:.1f} MB | {encoding:.2f} s | {1000 * signing:.0f} ms | "
            f"{signing / encoding:.1%} | {grown / 1000:.1f} kB | {1000 * again:.0f} ms |"
        )


def spent(work: Callable[Given, Made], *given: Given.args, **named: Given.kwargs) -> tuple[float, Made]:
    """Seconds of processor time that some work takes here and in programs that it runs, and what it gives."""
    before = _used()
    made = work(*given, **named)
    return _used() - before, made


def _used() -> float:
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def command(
    swap: Annotated[str, typer.Option(help="a swap whose finished frames lie here")] = "ada-on-ben",
    clip: Annotated[str, typer.Option(help="its clip, for the sound")] = "ben",
) -> None:
    """Print what signing costs beside encoding, by codec."""
    finished = Frames.read(Path("data/compositing") / swap)
    for line in measure(finished, Frames.read(Path("data/extraction") / clip).audio):
        typer.echo(line)


if __name__ == "__main__":
    main("credentials", command)
