"""What happens to films on their way: re-encoding, scaling, cropping, other rates, filters, screenshots."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stages.problems import Problem
from stages.video import ffmpeg_program


@dataclass(frozen=True)
class Attack:
    """Something done to a film by the ffmpeg program.

    Attributes:
        name: in the table.
        filters: of ffmpeg, on the pictures; empty for none.
        encoder: arguments that choose it.
    """

    name: str
    filters: str = ""
    encoder: Sequence[str] = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "23")

    def apply(self, film: Path, out: Path) -> None:
        """Write what is left of a film."""
        ffmpeg("-i", film, *(["-vf", self.filters] if self.filters else []), "-an", *self.encoder, out)


def x264(crf: int) -> Sequence[str]:
    """Arguments for H.264 of a quality."""
    return "-c:v", "libx264", "-preset", "veryfast", "-crf", str(crf)


X265: Final = ("-c:v", "libx265", "-preset", "superfast", "-crf", "28", "-x265-params", "log-level=error")
AV1: Final = ("-c:v", "libsvtav1", "-preset", "11", "-crf", "35")

ATTACKS: Final = (
    Attack("x264 crf 18", encoder=x264(18)),
    Attack("x264 crf 23", encoder=x264(23)),
    Attack("x264 crf 28", encoder=x264(28)),
    Attack("x264 crf 33", encoder=x264(33)),
    Attack("x265 crf 28", encoder=X265),
    Attack("AV1 crf 35", encoder=AV1),
    Attack("scaled by 0.5", "scale=iw/2:ih/2"),
    Attack("scaled by 0.75", "scale=trunc(iw*3/8)*2:trunc(ih*3/8)*2"),
    Attack("scaled by 1.5", "scale=iw*3/2:ih*3/2"),
    Attack("cropped by 2 %", "crop=iw*0.98:ih*0.98:iw*0.013:ih*0.004"),
    Attack("cropped by 5 %", "crop=iw*0.95:ih*0.95:iw*0.01:ih*0.04"),
    Attack("cropped by 10 %", "crop=iw*0.9:ih*0.9:iw*0.07:ih*0.02"),
    Attack("cropped by 15 %", "crop=iw*0.85:ih*0.85:iw*0.1:ih*0.03"),
    Attack("mirrored", "hflip"),
    Attack("5 % faster", "setpts=PTS/1.05,fps=25"),
    Attack("5 % slower", "setpts=PTS*1.05,fps=25"),
    Attack("at 30 frames a second", "fps=30"),
    Attack("at 30, blended", "minterpolate=fps=30:mi_mode=blend"),
    Attack("brighter, more contrast", "eq=brightness=0.08:contrast=1.2"),
    Attack("darker, gamma", "eq=brightness=-0.05:gamma=0.8"),
    Attack("noise", "noise=alls=12:allf=t"),
    Attack("screenshot: 1024 x 768, sharpened", "scale=1024:768:flags=bilinear,unsharp=5:5:0.6"),
    Attack("letterboxed to 4:3", "pad=iw:ih*4/3:0:(oh-ih)/2"),
)


def ffmpeg(*arguments: str | Path) -> str:
    """Run the ffmpeg program and return what it said.

    Raises:
        Problem: it failed.
    """
    command = [ffmpeg_program(), "-y", "-nostdin", "-hide_banner", "-v", "info", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    if done.returncode:
        raise Problem(
            f"ffmpeg does not do it: {' / '.join(done.stderr.strip().splitlines()[-3:])}",
            where=" ".join(map(str, arguments)),
            mend="take an ffmpeg with libx264, libx265 and libsvtav1, as the imageio-ffmpeg wheel brings",
        )
    return done.stderr
