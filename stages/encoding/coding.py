"""How pictures go into the encoder: in the clip's own pixel format where the codec holds it, else refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import av

from stages.encoding.codecs import CODECS, SAME_SAMPLES, Codec
from stages.encoding.settings import EncodingSettings
from stages.problems import Problem
from stages.video import UNKNOWN, VideoFacts

WITHOUT_ALPHA: Final = {"bgra": "bgr0", "rgba64le": "rgb48le"}
"""Formats whose names do not tell what they are without alpha."""


@dataclass(frozen=True)
class Coding:
    """How pictures go into the encoder.

    Attributes:
        pixel_format, matrix, range: of the pictures that the encoder gets.
        converted: what is not as in the clip, in a few words; empty if all is.
    """

    pixel_format: str
    matrix: str
    range: str
    converted: str = ""


def coding_for(facts: VideoFacts, settings: EncodingSettings) -> Coding:
    """The coding that the settings ask for.

    With ``pixel_format: nearest`` the depth is kept before the chroma. Chroma of half the size can not fill an odd
    width or height of h264 and h265: such clips are then encoded 4:4:4 rather than cropped. RGB that becomes Y'CbCr is
    given the matrix that players guess by height.

    Raises:
        Problem: the codec can not hold the clip's pixel format, and the settings do not let it be converted.
    """
    codec = CODECS[settings.codec]
    own = _without_alpha(facts.pixel_format) if settings.alpha == "drop" else facts.pixel_format
    chosen = _chosen(own, facts, settings, codec)
    if not chosen or (_Kind.of(own).alpha and not _Kind.of(chosen).alpha):
        raise _refused(own, facts, settings, codec)
    matrix, range_ = _colours(own, chosen, facts, codec)
    said = []
    if own != facts.pixel_format:
        said.append(f"alpha of {facts.pixel_format} dropped")
    if chosen not in _same_samples(own):
        said.append(f"{facts.pixel_format} became {chosen}")
    if _full(facts) and range_ == "tv":
        said.append("full range became limited")
    return Coding(chosen, matrix, range_, "; ".join(said))


def _without_alpha(pixel_format: str) -> str:
    """The same format without alpha; itself if it has none."""
    if pixel_format in WITHOUT_ALPHA:
        return WITHOUT_ALPHA[pixel_format]
    return pixel_format.replace("yuva", "yuv").replace("gbrap", "gbrp")


def _same_samples(own: str) -> tuple[str, ...]:
    """The format and those that hold its samples in another order."""
    return own, *SAME_SAMPLES.get(own, ())


def _chosen(own: str, facts: VideoFacts, settings: EncodingSettings, codec: Codec) -> str:
    """The pixel format that the encoder gets; empty if it has none that the settings allow."""
    if settings.pixel_format == "yuv420p":
        wanted = "yuv444p" if _is_odd("yuv420p", facts, codec) else "yuv420p"
        return wanted if wanted in codec.formats else ""
    same = next((each for each in _same_samples(own) if each in codec.formats), "")
    if same and not _why_not(same, facts, codec):
        return same
    return _nearest(own, facts, codec) if settings.pixel_format == "nearest" else ""


def _colours(own: str, chosen: str, facts: VideoFacts, codec: Codec) -> tuple[str, str]:
    """Matrix and range of the pictures that the encoder gets."""
    if _Kind.of(chosen).rgb:
        return "gbr", "pc"
    if chosen.startswith("gray"):
        return facts.matrix, UNKNOWN if codec.limited else facts.range  # grey that says no range is full
    if not own.startswith("yuv"):
        return "bt709" if facts.height >= 720 else "smpte170m", "tv"
    if _full(facts):
        return facts.matrix, "tv" if codec.limited else "pc"
    return facts.matrix, facts.range


class _Kind(NamedTuple):
    """What a pixel format is.

    Attributes:
        depth: bits of a sample.
        colour, rgb, alpha: whether it has them.
        across, down: pixels that share a sample of chroma.
    """

    depth: int
    colour: bool
    rgb: bool
    alpha: bool
    across: int
    down: int

    @classmethod
    def of(cls, name: str) -> _Kind:
        form = av.VideoFormat(name, 16, 16)
        planes = form.components
        colour = not name.startswith(("gray", "ya"))
        rgb = bool(form.is_rgb)
        alpha = name.startswith(("yuva", "gbrap", "rgba", "bgra"))
        chroma = planes[1] if colour and not rgb else planes[0]
        return cls(planes[0].bits, colour, rgb, alpha, 16 // chroma.width, 16 // chroma.height)


def _full(facts: VideoFacts) -> bool:
    """Whether the clip is Y'CbCr of full range, which has to be said; RGB always is, grey mostly."""
    return facts.full_range and facts.pixel_format.startswith("yuv")


def _why_not(pixel_format: str, facts: VideoFacts, codec: Codec) -> str:
    """Why a format that the codec knows does not do for a clip; empty if it does."""
    if _is_odd(pixel_format, facts, codec):
        return f"an odd size ({facts.width} x {facts.height}) with chroma of half the size"
    if codec.limited and _full(facts):
        return "full range, since it says none and is taken as limited"
    return ""


def _is_odd(pixel_format: str, facts: VideoFacts, codec: Codec) -> bool:
    """Whether the codec can not fill the clip's width or height with the format's chroma."""
    kind = _Kind.of(pixel_format)
    return codec.even and bool(facts.width % kind.across or facts.height % kind.down)


def _nearest(own: str, facts: VideoFacts, codec: Codec) -> str:
    """The format of the codec that keeps most; empty if none can hold the size."""
    old = _Kind.of(own)

    def loss(name: str) -> tuple[int, ...]:
        new = _Kind.of(name)
        return (
            old.alpha and not new.alpha,
            old.colour and not new.colour,
            max(0, old.depth - new.depth),
            old.across * old.down < new.across * new.down,
            old.rgb != new.rgb,
            old.colour != new.colour,
            new.alpha and not old.alpha,
            abs(new.depth - old.depth),
            abs(old.across * old.down - new.across * new.down),
        )

    able = [name for name in codec.formats if not _is_odd(name, facts, codec)]
    # Players show RGB in H.265 seldom, and grey as colour: RGB and grey become 4:2:0 unless the codec is RGB's own.
    if (old.rgb or not old.colour) and "yuv420p" in codec.formats:
        able = [name for name in able if name.startswith("yuv")]
        whole = [name for name in able if _Kind.of(name).across == 2 and _Kind.of(name).down == 2]
        able = whole or able
    return min(able, key=loss, default="")


def _refused(own: str, facts: VideoFacts, settings: EncodingSettings, codec: Codec) -> Problem:
    """What can not be held, and which settings hold it."""
    name = settings.codec
    alpha = _Kind.of(own).alpha
    holds = [
        other
        for other, known in CODECS.items()
        if other != name
        and any(each in known.formats and not _why_not(each, facts, known) for each in _same_samples(own))
    ]
    if alpha and not any(_Kind.of(each).alpha for each in codec.formats):
        what, other = f"{name} can not hold the clip's alpha ({own})", "set encoding.alpha: drop"
    else:
        why = next((said for each in codec.formats if each == own and (said := _why_not(each, facts, codec))), "")
        what = f"{name} can not hold {why}" if why else f"{name} can not hold the clip's pixel format {own}"
        other = "set encoding.pixel_format: nearest to let it be converted"
    mend = f"choose encoding.codec: {' or '.join(holds)}, or {other}" if holds else other
    return Problem(what, where="encoding.codec in params.yaml", mend=mend)
