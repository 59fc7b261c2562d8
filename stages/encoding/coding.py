"""How pictures go into the encoder: in the clip's own pixel format where the codec holds it, else refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import av

from stages.encoding.codecs import CODECS, SAME_SAMPLES, Codec
from stages.encoding.settings import EncodingSettings
from stages.problems import Problem
from stages.video import UNKNOWN, VideoFacts

WITHOUT_ALPHA = {"bgra": "bgr0", "rgba64le": "rgb48le"}


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
    own = facts.pixel_format
    dropped = settings.alpha == "drop" and _Kind.of(own).alpha
    own = (WITHOUT_ALPHA.get(own) or own.replace("yuva", "yuv").replace("gbrap", "gbrp")) if dropped else own
    if settings.pixel_format == "yuv420p":
        chosen = next((each for each in _odd("yuv420p", facts, codec) if each in codec.formats), "")
        fits = False
    else:
        same = [each for each in (own, *SAME_SAMPLES.get(own, ())) if each in codec.formats]
        fits = bool(same) and not _why_not(same[0], facts, codec)
        chosen = same[0] if fits else _nearest(own, facts, codec) if settings.pixel_format == "nearest" else ""
    if not chosen or (_Kind.of(own).alpha and not _Kind.of(chosen).alpha):
        raise _refused(own, facts, settings, codec)
    said = [f"alpha of {facts.pixel_format} dropped"] if dropped else []
    full = _full(facts)
    if fits or (chosen == own and not (full and codec.limited)):
        range_ = facts.range if not full else "pc"
        if _Kind.of(chosen).rgb:
            return Coding(chosen, "gbr", "pc", "; ".join(said))
        if facts.pixel_format.startswith("gray"):
            range_ = UNKNOWN if codec.limited else facts.range  # grey that says no range is full
        return Coding(chosen, facts.matrix, range_, "; ".join(said))
    said += [f"{facts.pixel_format} became {chosen}"] if chosen != facts.pixel_format else []
    if _Kind.of(chosen).rgb:
        return Coding(chosen, "gbr", "pc", "; ".join(said))
    if not own.startswith("yuv"):
        return Coding(chosen, "bt709" if facts.height >= 720 else "smpte170m", "tv", "; ".join(said))
    if full and codec.limited:
        return Coding(chosen, facts.matrix, "tv", "; ".join([*said, "full range became limited"]))
    return Coding(chosen, facts.matrix, "pc" if full else facts.range, "; ".join(said))


class _Kind(NamedTuple):
    """What a pixel format is."""

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
    return facts.full_range and facts.pixel_format.startswith("yuv")


def _why_not(pixel_format: str, facts: VideoFacts, codec: Codec) -> str:
    """Why a format that the codec knows does not do for a clip; empty if it does."""
    kind = _Kind.of(pixel_format)
    if codec.even and (facts.width % kind.across or facts.height % kind.down):
        return f"an odd size ({facts.width} x {facts.height}) with chroma of half the size"
    if codec.limited and _full(facts):
        return "full range, since it says none and is taken as limited"
    return ""


def _odd(pixel_format: str, facts: VideoFacts, codec: Codec) -> list[str]:
    """The format; for odd sizes that one with whole chroma."""
    kind = _Kind.of(pixel_format)
    if codec.even and (facts.width % kind.across or facts.height % kind.down):
        return [pixel_format.replace("420", "444").replace("422", "444")]
    return [pixel_format]


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

    able = [
        name
        for name in codec.formats
        if not (codec.even and (facts.width % _Kind.of(name).across or facts.height % _Kind.of(name).down))
    ]
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
        and any(
            each in known.formats and not _why_not(each, facts, known) for each in (own, *SAME_SAMPLES.get(own, ()))
        )
    ]
    if alpha and not any(_Kind.of(each).alpha for each in codec.formats):
        what, other = f"{name} can not hold the clip's alpha ({own})", "set encoding.alpha: drop"
    else:
        why = next((said for each in codec.formats if each == own and (said := _why_not(each, facts, codec))), "")
        what = f"{name} can not hold {why}" if why else f"{name} can not hold the clip's pixel format {own}"
        other = "set encoding.pixel_format: nearest to let it be converted"
    mend = f"choose encoding.codec: {' or '.join(holds)}, or {other}" if holds else other
    return Problem(what, where="encoding.codec in params.yaml", mend=mend)
