"""What each codec can hold, and which encoder of ffmpeg makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

CodecName = Literal["h264", "h265", "av1", "prores", "ffv1", "png", "tiff", "dpx"]
EncoderName = Literal["software", "auto", "nvenc", "qsv", "videotoolbox", "amf"]
ContainerName = Literal["mp4", "mov", "mkv"]

_YUV: Final = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")


@dataclass(frozen=True)
class Codec:
    """One codec.

    Attributes:
        encoder: ffmpeg's name of it.
        formats: the pixel formats that it holds, and that NUT can bring to the encoder.
        containers: that hold it, the usual one first; none for pictures, which lie in a folder.
        crf: constant rate factor that can hardly be told from the original; None if the codec has none.
        worst: the greatest rate factor.
        even: chroma of half the size needs an even width or height.
        limited: it says no range, so that players take it as limited.
        light: ffmpeg can have its encoder write what a clip says of its light.
    """

    encoder: str
    formats: tuple[str, ...]
    containers: tuple[ContainerName, ...] = ()
    crf: float | None = None
    worst: float = 0.0
    even: bool = False
    limited: bool = False
    light: bool = False


_FFV1: Final = (
    *(f"yuv{chroma}p{depth}" for chroma in (420, 422, 444) for depth in ("", "9le", "10le", "12le", "14le", "16le")),
    *(f"yuva{chroma}p{depth}" for chroma in (420, 422, 444) for depth in ("", "9le", "10le", "16le")),
    *("yuva422p12le", "yuva444p12le", "yuv440p", "yuv411p", "yuv410p", "bgr0", "bgra", "rgb48le", "rgba64le"),
    *(f"gray{depth}" for depth in ("", "9le", "10le", "12le", "14le", "16le")),
    *(f"gbrp{depth}le" for depth in (9, 10, 12, 14, 16)),
    *(f"gbrap{depth}le" for depth in (10, 12, 14, 16)),
)

CODECS: Final[dict[CodecName, Codec]] = {
    "h264": Codec(
        "libx264", (*_YUV, "gray", "gray10le"),
        ("mp4", "mov", "mkv"), crf=17.0, worst=51.0, even=True, light=True,
    ),
    "h265": Codec(
        "libx265",
        (*_YUV, "gray", "gray10le", "gray12le", "yuv420p12le", "yuv422p12le", "yuv444p12le", "gbrp", "gbrp10le",
         "gbrp12le"),
        ("mp4", "mov", "mkv"), crf=17.0, worst=51.0, even=True, light=True,
    ),
    "av1": Codec("libsvtav1", ("yuv420p", "yuv420p10le"), ("mp4", "mkv"), crf=20.0, worst=63.0, even=True, light=True),
    "prores": Codec("prores_ks", ("yuv422p10le", "yuv444p10le", "yuva444p10le"), ("mov", "mkv"), limited=True),
    "ffv1": Codec("ffv1", _FFV1, ("mkv", "mov"), limited=True),
    "png": Codec("png", ("rgb24", "rgba", "rgb48be", "rgba64be", "gray", "gray16be")),
    "tiff": Codec("tiff", ("rgb24", "rgb48le", "rgba", "rgba64le", "gray", "gray16le")),
    "dpx": Codec("dpx", ("rgb24", "rgba", "rgb48be", "rgba64be", "gbrp10be", "gbrp12be", "gray", "gray16be")),
}  # fmt: skip

LOSSLESS: Final = ("ffv1", "png", "tiff", "dpx")
"""Codecs that keep every sample."""

SAME_SAMPLES: Final = {
    "bgr0": ("gbrp", "rgb24"),
    "bgra": ("rgba",),
    "rgb48le": ("rgb48be",),
    "rgba64le": ("rgba64be",),
    "gbrp16le": ("rgb48le", "rgb48be"),
    "gbrap16le": ("rgba64le", "rgba64be"),
    "gbrp10le": ("gbrp10be",),
    "gbrp12le": ("gbrp12be",),
    "gray16le": ("gray16be",),
}
"""Formats whose samples lie in others in another order: going there changes none."""

PRESETS_OF_AV1: Final = {
    "ultrafast": 12, "superfast": 11, "veryfast": 10, "faster": 9, "fast": 8, "medium": 6, "slow": 5, "slower": 4,
    "veryslow": 3,
}  # fmt: skip
"""SVT-AV1 numbers its presets."""


@dataclass(frozen=True)
class Hardware:
    """The encoders of one maker's hardware.

    Attributes:
        codecs: codec -> ffmpeg's name of its encoder.
        uploads: pixel format -> what its samples lie in on the way to the hardware; none is changed.
        rate: options for a constant quality, the names; each gets the rate factor. None if there is no such thing.
        told: further options of a constant quality.
    """

    codecs: dict[CodecName, str]
    uploads: dict[str, str]
    rate: tuple[str, ...] = ()
    told: dict[str, Any] = field(default_factory=dict)


_TWO: Final = {"yuv420p": "nv12", "yuv420p10le": "p010le"}

HARDWARE: Final[dict[EncoderName, Hardware]] = {
    "nvenc": Hardware(
        {"h264": "h264_nvenc", "h265": "hevc_nvenc", "av1": "av1_nvenc"},
        _TWO | {"yuv444p": "yuv444p"}, ("cq",), {"rc": "vbr", "b:v": 0},
    ),
    "qsv": Hardware({"h264": "h264_qsv", "h265": "hevc_qsv", "av1": "av1_qsv"}, _TWO, ("global_quality",)),
    "videotoolbox": Hardware({"h264": "h264_videotoolbox", "h265": "hevc_videotoolbox"}, _TWO),
    "amf": Hardware(
        {"h264": "h264_amf", "h265": "hevc_amf", "av1": "av1_amf"}, _TWO, ("qp_i", "qp_p"), {"rc": "cqp"},
    ),
}  # fmt: skip
"""In the order in which they are tried. VA-API and Vulkan are not among them: they need a device to be named."""
