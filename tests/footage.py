"""Footage as it really comes: small files of many kinds, made by the ffmpeg program, and what must be true of each.

And the way in and out, which the tests of extraction and encoding share.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.frames import Frames
from stages.encoding.settings import EncodingSettings
from stages.encoding.stage import encode
from stages.extraction.stage import run
from stages.settings import Params, parse
from stages.video import ffmpeg_program
from tests.conftest import REPOSITORY

SIZE = "96x64"


@dataclass(frozen=True)
class Case:
    """One kind of file.

    Attributes:
        name: of the case.
        file: its name; the ending chooses the container.
        video: how the pictures are coded: arguments of ffmpeg.
        rate, size, frames: of the test picture; ``change`` are further filters on it.
        sound: (codec, language) of each audio track.
        facts: what extraction must say of it, beside sizes and counts.
        more: arguments of ffmpeg for the output; ``inputs`` are put before them.
        finish: what is done to the finished file.
        refused: the words with which extraction refuses it.
        encoding: settings of the delivery; ``undeliverable`` the words with which that is refused.
        reference: filter by which ffmpeg makes the pictures that extraction must give.
    """

    name: str
    file: str
    video: Sequence[str]
    rate: str = "25"
    size: str = SIZE
    frames: int = 16
    change: str = ""
    sound: Sequence[tuple[str, str]] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    more: Sequence[str] = ()
    inputs: Callable[[Path], Sequence[str | Path]] = lambda folder: ()
    finish: Callable[[Path], object] = lambda path: None
    refused: str = ""
    encoding: Mapping[str, Any] = field(default_factory=dict)
    undeliverable: str = ""
    reference: str = ""

    def __str__(self) -> str:
        return self.name

    def make(self, folder: Path) -> Path:
        """The file, in a folder."""
        path = folder / self.file
        picture = f"testsrc2=s={self.size}:r={self.rate},trim=end_frame={self.frames}{self.change and ','}{self.change}"
        seconds = float(self.frames / Fraction(self.rate))
        inputs: list[str | Path] = ["-f", "lavfi", "-i", picture]
        maps: list[str | Path] = ["-map", "0:v"]
        for number, (codec, language) in enumerate(self.sound):
            inputs += ["-f", "lavfi", "-i", f"sine=frequency={300 + 200 * number}:sample_rate=48000:d={seconds}"]
            maps += ["-map", f"{number + 1}:a", f"-c:a:{number}", codec]
            maps += [f"-metadata:s:a:{number}", f"language={language}"] if language else []
        # passthrough and the filter's own time base: times go into the file as the test picture has them
        times = ["-fps_mode", "passthrough", "-enc_time_base", "filter"] if "setpts" in self.change else []
        ffmpeg(*inputs, *self.inputs(folder), *maps, *self.video, *times, *self.more, path)
        self.finish(path)
        return path


def params_for(path: Path, **clip: Any) -> Params:
    """The shipped settings with one clip, "one"."""
    raw = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    raw |= {"clips": {"one": {"identity": "ada", "path": str(path), **clip}}, "swaps": {}}
    return parse(Params, raw, where="params.yaml")


def extract(path: Path, **clip: Any) -> Frames:
    """A file taken apart, with these settings of the clip."""
    run("one", params_for(path, **clip))
    return Frames.read(Path("data/extraction/one"))


def facts(frames: Frames) -> dict[str, Any]:
    """All that extraction says of a clip."""
    told: dict[str, Any] = json.loads((frames.folder / "facts.json").read_text())
    return told


def deliver(frames: Frames, folder: Path, **settings: Any) -> Deliverable:
    """Frames put together again, unchanged, into a new folder, with these settings of the encoding."""
    folder.mkdir()
    chosen = EncodingSettings(**{"preset": "ultrafast", "watermark": False, **settings})
    return encode(frames, frames.audio, folder, chosen, {"swap": "none"})


def ffmpeg(*arguments: str | Path) -> bytes:
    """Run the ffmpeg program; what it prints."""
    command = [ffmpeg_program(), "-y", "-nostdin", "-v", "error", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def remade(*, before: Sequence[str] = (), after: Sequence[str] = ()) -> Callable[[Path], None]:
    """Copy a file's streams with options before and after its name."""

    def finish(path: Path) -> None:
        old = path.rename(path.with_stem("before"))
        ffmpeg(*before, "-i", old, "-map", "0", "-c", "copy", *after, path)
        old.unlink()

    return finish


def cut_off(share: float) -> Callable[[Path], None]:
    """Keep the first part of a file's bytes."""

    def finish(path: Path) -> None:
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return finish


def chapters(folder: Path) -> list[str | Path]:
    """Two chapters for a file, as inputs of ffmpeg."""
    text = ";FFMETADATA1\n"
    for start, end, title in ((0, 240, "Opening"), (240, 640, "The rest")):
        text += f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n"
    (folder / "chapters.txt").write_text(text)
    return ["-f", "ffmetadata", "-i", folder / "chapters.txt"]


def tags(primaries: str, transfer: str, matrix: str, range_: str = "tv") -> str:
    """A filter that declares colours and converts nothing."""
    return f"setparams=color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}:range={range_}"


def said(primaries: str, transfer: str, matrix: str, range_: str = "tv") -> dict[str, str]:
    """The same as facts."""
    return {"primaries": primaries, "transfer": transfer, "matrix": matrix, "range": range_}


def x264(pixel_format: str = "yuv420p", *more: str) -> list[str]:
    """H.264 with B-frames."""
    return ["-c:v", "libx264", "-preset", "fast", "-bf", "2", "-g", "8", "-pix_fmt", pixel_format, *more]


def x265(pixel_format: str = "yuv420p") -> list[str]:
    """H.265, quietly."""
    return ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", pixel_format, "-x265-params", "log-level=error"]


def lossless(pixel_format: str) -> list[str]:
    """FFV1."""
    return ["-c:v", "ffv1", "-pix_fmt", pixel_format]


BT709, PQ, HLG = ("bt709",) * 3, ("bt2020", "smpte2084", "bt2020nc"), ("bt2020", "arib-std-b67", "bt2020nc")
BT601 = ("smpte170m", "smpte170m", "smpte170m")
ODD = "format=gbrp,scale=97:63,setsar=189/194:max=999"
FULL = tags(*BT709, "pc")
LIT = ("G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)", "1000,400")
INTERLACED = ["-c:v", "mpeg2video", "-b:v", "2M", "-flags", "+ilme+ildct", "-pix_fmt", "yuv420p"]
DEINTERLACED = "bwdif=mode=send_frame:parity=auto:deint=interlaced"
COUNTER_CLOCKWISE = remade(before=["-display_rotation", "90"])

CASES = [
    # rates and times
    Case("h264 23.976 mp4, AAC", "a.mp4", x264(), rate="24000/1001", sound=[("aac", "")]),
    Case("h264 25 mov, PCM", "a.mov", x264(), sound=[("pcm_s16le", "")], facts={"rate": "25/1"}),
    Case("h264 29.97 mkv, AC-3", "a.mkv", x264(), rate="30000/1001", sound=[("ac3", "")], encoding={"codec": "ffv1"}),
    Case("h265 50 mp4", "a.mp4", [*x265(), "-tag:v", "hvc1"], rate="50", encoding={"codec": "h265"}),
    Case("variable rate mp4", "a.mp4", x264(), change="settb=1/600,setpts=N*24+mod(N\\,3)*7"),
    Case("variable rate mkv, ffv1", "a.mkv", lossless("yuv420p"), change="settb=1/1000,setpts=N*40+mod(N\\,4)*9",
         encoding={"codec": "ffv1"}),
    Case("late start", "a.mp4", x264(), change="settb=1/600,setpts=N*24+900"),
    Case("edit list into a group of pictures", "a.mp4", x264(), frames=30, sound=[("aac", "")],
         finish=remade(before=["-ss", "0.52"])),
    Case("mkv cut into a group of pictures, AAC", "a.mkv", x264(), frames=40, sound=[("aac", "")],
         finish=remade(before=["-ss", "0.52"])),
    Case("avi, mpeg4, mp3", "a.avi", ["-c:v", "mpeg4", "-q:v", "3"], sound=[("libmp3lame", "")]),
    Case("webm, vp9, opus", "a.webm", ["-c:v", "libvpx-vp9", "-deadline", "realtime"], sound=[("libopus", "")],
         encoding={"codec": "av1"}),
    Case("mpeg2 transport stream", "a.ts", ["-c:v", "mpeg2video", "-b:v", "2M", "-bf", "2"], sound=[("mp2", "")]),
    Case("transport stream whose header claims twice the rate", "a.ts",
         [*x264(), "-bsf:v", "h264_metadata=tick_rate=100"], facts={"pixel_format": "yuv420p"}),
    Case("av1 59.94 mp4", "a.mp4", ["-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1"],
         rate="60000/1001", encoding={"codec": "av1"}),
    Case("vp8 webm, vorbis", "a.webm", ["-c:v", "libvpx", "-deadline", "realtime"], sound=[("libvorbis", "eng")],
         encoding={"codec": "h265"}),
    Case("h263 flv, mp3", "a.flv", ["-c:v", "flv"], size="128x96", sound=[("libmp3lame", "")]),
    Case("windows media", "a.wmv", ["-c:v", "wmv2"], sound=[("wmav2", "")], encoding={"container": "mkv"}),
    Case("mxf, dnxhr", "a.mxf", ["-c:v", "dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p"], size="256x128",
         sound=[("pcm_s16le", "")], encoding={"container": "mov"}),
    Case("motion jpeg avi, PCM", "a.avi", ["-c:v", "mjpeg", "-pix_fmt", "yuvj422p"], sound=[("pcm_s16le", "")],
         facts={"pixel_format": "yuv422p", "range": "pc"}, encoding={"container": "mov"}),
    Case("variable rate avi", "a.avi", ["-c:v", "mpeg4", "-q:v", "3"], change="settb=1/25,setpts=N+trunc(N/4)*3"),
    Case("fragmented mp4", "a.mp4", x264(), sound=[("aac", "")], more=["-movflags", "+frag_keyframe+empty_moov"]),
    Case("dv, interlaced", "a.avi", ["-c:v", "dvvideo", "-pix_fmt", "yuv420p", "-flags", "+ilme+ildct"],
         size="720x576", frames=6, change="setfield=bff,setsar=16/15", reference=DEINTERLACED),
    # pixel formats and colours
    Case("BT.601 limited", "a.mp4", x264(), change=tags(*BT601), facts=said(*BT601)),
    Case("BT.709 full range", "a.mp4", x264("yuv422p"), change=tags(*BT709, "pc"), facts=said(*BT709, "pc")),
    Case("PQ 10 bit 4:2:0", "a.mp4", [*x265("yuv420p10le"), "-tag:v", "hvc1"], change=tags(*PQ), facts=said(*PQ),
         encoding={"codec": "h265"}),
    *(Case(f"PQ with its light to {codec}", "a.mp4",
           ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1", "-x265-params",
            f"log-level=error:master-display={LIT[0]}:max-cll={LIT[1]}"],
           change=tags(*PQ), facts=said(*PQ), encoding={"codec": codec}) for codec in ("h264", "h265", "av1")),
    Case("HLG 10 bit 4:2:2", "a.mov", x264("yuv422p10le"), change=tags(*HLG), facts=said(*HLG)),
    Case("HLG 10 bit to AV1", "a.mkv", x265("yuv420p10le"), change=tags(*HLG), facts=said(*HLG),
         encoding={"codec": "av1"}),
    Case("BT.2020 limited 12 bit 4:2:0", "a.mkv", x265("yuv420p12le"), change=tags("bt2020", "bt2020-12", "bt2020nc"),
         facts=said("bt2020", "bt2020-12", "bt2020nc"), encoding={"codec": "h265"}),
    Case("16 bit RGB", "a.mkv", lossless("gbrp16le"), facts={"pixel_format": "gbrp16le"}, encoding={"codec": "ffv1"}),
    Case("4:1:1", "a.mkv", lossless("yuv411p"), encoding={"codec": "ffv1"}),
    Case("12 bit 4:4:4", "a.mkv", lossless("yuv444p12le"), facts={"pixel_format": "yuv444p12le"},
         encoding={"codec": "h265"}),
    Case("12 bit to H.264", "a.mkv", lossless("yuv422p12le"), undeliverable="yuv422p12le"),
    Case("10 bit 4:4:4", "a.mp4", x264("yuv444p10le"), facts={"pixel_format": "yuv444p10le"}),
    Case("prores 422", "a.mov", ["-c:v", "prores_ks", "-profile:v", "hq", "-pix_fmt", "yuv422p10le"],
         change=tags(*BT709), facts={"pixel_format": "yuv422p10le"}, encoding={"codec": "prores"}),
    Case("prores 4444 with alpha", "a.mov", ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"],
         change="format=yuva444p10le", encoding={"codec": "ffv1"}),
    Case("prores 4444, which is decoded with 12 bit, to prores", "a.mov",
         ["-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"], change="format=yuva444p10le",
         encoding={"codec": "prores"}, undeliverable="pixel_format: nearest"),
    Case("alpha to H.264", "a.mkv", lossless("yuva420p"), change="format=yuva420p", undeliverable="alpha"),
    Case("alpha of VP9, which its decoder leaves out", "a.webm",
         ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-pix_fmt", "yuva420p"], change="format=yuva420p",
         refused="alpha"),
    Case("grey", "a.mkv", lossless("gray"), facts={"pixel_format": "gray"}),
    Case("RGB of H.264", "a.mkv", ["-c:v", "libx264rgb", "-qp", "0", "-pix_fmt", "rgb24"],
         facts={"pixel_format": "bgr0"}, encoding={"codec": "ffv1"}),
    Case("packed 4:2:2", "a.avi", ["-c:v", "rawvideo", "-pix_fmt", "uyvy422"], facts={"pixel_format": "yuv422p"}),
    Case("palette", "a.mkv", ["-c:v", "png", "-pix_fmt", "pal8"], change="format=rgb24,format=pal8", refused="pal8"),
    # shapes
    Case("odd size 4:2:0", "a.mkv", lossless("yuv420p"), size="96x64", change=ODD, encoding={"codec": "ffv1"}),
    Case("odd size 4:2:0 to H.264", "a.mkv", lossless("yuv420p"), size="96x64", change=ODD, undeliverable="odd"),
    Case("odd size 4:4:4", "a.mp4", x264("yuv444p"), change=ODD),
    Case("anamorphic", "a.mp4", x264(), change="setsar=16/11", facts={"sample_aspect": "16/11"}),
    *(Case(f"turned by {turn}", "a.mp4", x264(), finish=remade(before=["-display_rotation", str(turn)]),
           facts={"rotation": (-turn) % 360}, sound=[("aac", "")]) for turn in (90, 180, 270)),
    Case("full range, turned", "a.mp4", x264(), change=FULL, finish=COUNTER_CLOCKWISE,
         facts={"rotation": 270, "range": "pc", "width": 64, "pixel_format": "yuv420p"}),
    Case("packed RGB, turned", "a.mov", ["-c:v", "qtrle", "-pix_fmt", "rgb24"], finish=COUNTER_CLOCKWISE,
         facts={"rotation": 270, "width": 64, "pixel_format": "bgr0"}, encoding={"codec": "ffv1", "container": "mov"}),
    Case("mirrored", "a.mp4", x264(), finish=remade(before=["-display_hflip"]), refused="mirror"),
    Case("size changes", "a.h264", x264(), finish=lambda path: path.write_bytes(
         path.read_bytes() + Case("b", "b.h264", x264(), size="64x48").make(path.parent).read_bytes()),
         refused="split the clip|no time"),
    # interlaced
    Case("interlaced, top first", "a.mkv", INTERLACED, change="setfield=tff", reference=DEINTERLACED),
    Case("interlaced, bottom first, PCM", "a.mov", INTERLACED, change="setfield=bff", reference=DEINTERLACED,
         sound=[("pcm_s16le", "")]),
    Case("interlaced H.264", "a.mp4", x264("yuv420p", "-flags", "+ilme+ildct", "-x264-params", "tff=1"),
         change="setfield=tff", reference=DEINTERLACED),
    Case("interlaced, full range, turned", "a.mp4", x264("yuv420p", "-flags", "+ilme+ildct", "-x264-params", "tff=1"),
         change=f"setfield=tff,{FULL}", reference=f"{DEINTERLACED},transpose=cclock", finish=COUNTER_CLOCKWISE,
         facts={"rotation": 270, "range": "pc"}),
    Case("interlaced, packed 4:2:2", "a.mov", ["-c:v", "rawvideo", "-pix_fmt", "uyvy422", "-field_order", "tt"],
         change="setfield=tff", reference=f"format=yuv422p,{DEINTERLACED}", facts={"pixel_format": "yuv422p"}),
    # tracks
    Case("no sound", "a.mov", x264()),
    Case("three tracks with languages", "a.mp4", x264(), sound=[("aac", "eng"), ("aac", "deu"), ("ac3", "fra")]),
    Case("three tracks, mkv", "a.mkv", x264(), sound=[("flac", "eng"), ("libopus", "jpn"), ("ac3", "fra")],
         encoding={"codec": "ffv1", "container": "mkv"}),
    Case("vorbis", "a.mkv", x264(), sound=[("libvorbis", "")]),
    Case("vorbis and AAC, mkv", "a.mkv", x264(), sound=[("libvorbis", "eng"), ("aac", "deu")],
         encoding={"container": "mkv"}),
    Case("opus to MOV", "a.mkv", x264(), sound=[("libopus", "")], encoding={"container": "mov"},
         undeliverable="opus only supported in MP4.*\n.*container: mp4 or mkv"),
    Case("A-law to MP4", "a.mkv", x264(), sound=[("pcm_alaw", "")], undeliverable="container: mov or mkv"),
    Case("24 bit PCM to MOV", "a.mov", x264(), sound=[("pcm_s24le", "eng")], encoding={"container": "mov"}),
    Case("chapters", "a.mp4", x264(), inputs=chapters, more=["-map_chapters", "1"]),
    Case("chapters and sound, mkv", "a.mkv", x264(), sound=[("ac3", "eng")], inputs=chapters,
         more=["-map_chapters", "2"], encoding={"container": "mkv"}),
    # broken
    Case("mp4 without its index", "a.mp4", x264(), finish=cut_off(0.7), refused="can not be read|breaks off"),
    Case("broken tail, mkv", "a.mkv", x264(), frames=30, finish=cut_off(0.7), sound=[("ac3", "eng")]),
    Case("broken tail, mp4 with its index first", "a.mp4", x264(), frames=30, more=["-movflags", "+faststart"],
         finish=cut_off(0.7), sound=[("aac", "")]),
    Case("broken tail, mov, PCM", "a.mov", x264(), frames=30, more=["-movflags", "+faststart"], finish=cut_off(0.7),
         sound=[("pcm_s16le", "")], encoding={"container": "mov"}),
    Case("broken tail, avi, mp3", "a.avi", ["-c:v", "mpeg4", "-q:v", "3", "-g", "8"], frames=30, finish=cut_off(0.7),
         sound=[("libmp3lame", "")]),
    Case("broken tail, transport stream", "a.ts", x264(), frames=30, finish=cut_off(0.7), sound=[("aac", "")]),
    Case("broken tail, transport stream, AC-3", "a.ts", x264(), frames=30, finish=cut_off(0.7), sound=[("ac3", "")]),
]  # fmt: skip
