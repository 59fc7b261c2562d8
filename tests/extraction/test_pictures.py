"""A folder of numbered pictures is a clip."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.admission.footage import require_footage
from stages.artifacts.frames import Frames
from stages.extraction.stage import run
from stages.problems import Problem
from stages.video import planes_of
from tests.footage import deliver, extract, ffmpeg, params_for


def pictures(
    folder: Path, names: str = "shot.%04d.png", form: str = "rgb24", first: int = 1, more: Sequence[str] = ()
) -> Path:
    folder.mkdir(exist_ok=True)
    source = f"testsrc2=s=96x64:r=25,trim=end_frame=8,format={form}"
    ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", form, *more, "-start_number", str(first), folder / names)
    return folder


def raw(folder: Path, names: str, form: str, first: int = 1) -> bytes:
    return ffmpeg("-start_number", str(first), "-i", folder / names, "-f", "rawvideo", "-pix_fmt", form, "-")


def as_bytes(frames: Frames, form: str) -> bytes:
    found = b""
    for frame in frames:
        picture = frame.picture if frame.picture.format.name == form else frame.picture.reformat(format=form)
        found += b"".join(np.ascontiguousarray(plane).tobytes() for plane in planes_of(picture))
    return found


@pytest.mark.parametrize(
    ("ending", "form", "kept"),
    [
        ("png", "rgb24", "bgr0"),
        ("png", "rgba", "bgra"),
        ("png", "rgb48be", "rgb48le"),
        ("png", "gray", "gray"),
        ("tiff", "rgb24", "bgr0"),
        ("tiff", "rgb48le", "rgb48le"),
        ("dpx", "gbrp10be", "gbrp10le"),
        ("jpg", "yuvj444p", "yuv444p"),
        ("bmp", "bgr24", "bgr0"),
    ],
)
def test_pictures_come_in_without_a_changed_sample(workplace: Path, ending: str, form: str, kept: str) -> None:
    more = ["-compression_algo", "raw"] if ending == "tiff" else []
    folder = pictures(workplace / "shot", f"shot.%04d.{ending}", form, more=more)
    frames = extract(folder, rate=25)
    assert frames.facts.pixel_format == kept
    shown = kept if kept not in ("bgr0",) else "rgb24"
    assert as_bytes(frames, shown) == raw(folder, f"shot.%04d.{ending}", shown)
    assert frames.facts.range in ("pc", "unknown")


def test_the_rate_gives_exact_times(workplace: Path) -> None:
    frames = extract(pictures(workplace / "shot", first=1001), rate="24000/1001")
    base = Fraction(frames.facts.time_base)
    assert [pts * base for pts in frames.index["pts"]] == [Fraction(1001 * number, 24000) for number in range(8)]
    assert frames.facts.rate == "24000/1001"


def test_the_same_pictures_have_the_same_hash_and_others_another(workplace: Path) -> None:
    folder = pictures(workplace / "shot")
    seen = [extract(folder, rate=25).facts.model_extra["source_sha256"] for _ in range(2)]  # type: ignore[index]
    (folder / "shot.0003.png").write_bytes((folder / "shot.0004.png").read_bytes())
    seen.append(extract(folder, rate=25).facts.model_extra["source_sha256"])  # type: ignore[index]
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize("codec", ["png", "tiff", "dpx"])
def test_pictures_go_out_as_pictures_sample_for_sample(workplace: Path, codec: str) -> None:
    frames = extract(pictures(workplace / "shot"), rate=25)
    made = deliver(frames, workplace / "out", codec=codec)
    assert made.video.is_dir()
    assert "AI-modified" in (made.video / "disclosure.txt").read_text()
    assert (made.facts["rate"], made.facts["frames"]) == ("25/1", 8)
    delivered = [np.asarray(frame.rgb()) for frame in made.frames()]
    for old, new in zip(frames, delivered, strict=True):
        np.testing.assert_array_equal(old.rgb(), new)


class TestRefused:
    """By name, with the mend, by admission as by extraction."""

    @pytest.fixture
    def folder(self, workplace: Path) -> Path:
        return pictures(workplace / "shot")

    def refused(self, folder: Path, words: str, **clip: Any) -> None:
        params = params_for(folder, **clip)
        for ask in (lambda: require_footage("one", params), lambda: run("one", params)):
            with pytest.raises(Problem, match=words):
                ask()
        assert not list(Path("data/extraction").glob("*"))

    def test_without_a_rate(self, folder: Path) -> None:
        self.refused(folder, "rate: 24")

    def test_with_a_gap(self, folder: Path) -> None:
        (folder / "shot.0004.png").unlink()
        self.refused(folder, "first is 4", rate=25)

    def test_named_by_the_day_and_second(self, folder: Path) -> None:
        """Billions are missing: they are counted, not listed."""
        (folder / "shot.20240101000000.png").write_bytes((folder / "shot.0001.png").read_bytes())
        for picture in folder.glob("shot.0*.png"):
            picture.unlink()
        (folder / "shot.20250101000000.png").write_bytes(b"x")
        self.refused(folder, r"9999999999 of the pictures .* are missing, the first is 20240101000001", rate=25)

    def test_two_sequences(self, folder: Path) -> None:
        pictures(folder, "other.%04d.png")
        self.refused(folder, r"other\.#\.png, shot\.#\.png", rate=25)
        assert len(extract(folder, rate=25, pictures="other.#.png")) == 8

    def test_numbers_written_in_two_ways(self, folder: Path) -> None:
        (folder / "shot.0004.png").rename(folder / "shot.4.png")
        self.refused(folder, "not written alike", rate=25)

    def test_an_empty_folder(self, workplace: Path) -> None:
        (workplace / "none").mkdir()
        self.refused(workplace / "none", "no numbered pictures", rate=25)

    def test_an_empty_picture(self, folder: Path) -> None:
        (folder / "shot.0004.png").write_bytes(b"")
        with pytest.raises(Problem, match="is empty"):
            require_footage("one", params_for(folder, rate=25))

    def test_a_damaged_picture_in_the_middle(self, folder: Path) -> None:
        path = folder / "shot.0004.png"
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(Problem, match=r"at 0\.120 s, with whole ones after it"):
            extract(folder, rate=25)

    def test_floating_point(self, workplace: Path) -> None:
        folder = pictures(workplace / "exr", "a.%03d.exr", "gbrpf32le")
        with pytest.raises(Problem, match="pixel format gbrpf32le"):
            extract(folder, rate=25)

    def test_a_rate_for_a_video_file(self, workplace: Path, clip: Path) -> None:
        with pytest.raises(Problem, match="remove `rate`"):
            extract(clip, rate=25)
