"""What can be set about encoding."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stages.credentials.settings import CredentialSettings
from stages.encoding.codecs import CODECS, HARDWARE, CodecName, ContainerName, EncoderName
from stages.encoding.label_settings import LabelSettings

Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]


class EncodingSettings(BaseModel):
    """Settings of the stage ``encoding``. Encoders run on the CPU, unless hardware is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codec: CodecName = Field(
        default="h264",
        description="h264, h265 and av1 to show, prores to edit, ffv1 to keep every sample; png, tiff and dpx write a "
        "folder of pictures, the sound beside it",
    )
    container: ContainerName | Literal["auto"] = Field(
        default="auto",
        description="auto: mp4 for h264, h265 and av1, mov for prores, mkv for ffv1 if it can hold the times, else mov",
    )
    crf: float | None = Field(
        default=None,
        ge=0.0,
        le=63.0,
        description="constant rate factor of h264, h265 (0 to 51) and av1 (0 to 63, whole): lower is better and "
        "larger; if null, 17 (av1: 20), which can not be told from the original by eye",
    )
    bitrate: int | None = Field(
        default=None, ge=10, le=2_000_000, description="kilobits a second of h264, h265 and av1, in place of crf"
    )
    encoder: EncoderName = Field(
        default="software",
        description="software gives the same bytes on every machine; nvenc, qsv, videotoolbox and amf are quicker, "
        "need the hardware, give larger files at equal quality, and other bytes by another card or driver; auto takes "
        "the first of them that works, else software. They have no preset, and what crf means differs among them",
    )
    preset: Preset = Field(default="medium", description="slower presets give smaller files of the same quality")
    profile: Literal["auto", "proxy", "lt", "standard", "hq", "4444", "4444xq"] = Field(
        default="auto", description="of prores; auto: hq for 4:2:2, 4444 for 4:4:4"
    )
    pixel_format: Literal["clip", "nearest", "yuv420p"] = Field(
        default="clip",
        description="clip: the clip's own, refused if the codec can not hold it; nearest: what comes closest; "
        "yuv420p: what every player can show",
    )
    alpha: Literal["carry", "drop"] = Field(
        default="carry", description="of clips with transparency: carry it, refused if the codec can not, or drop it"
    )
    rotation: Literal["clip", "upright"] = Field(
        default="clip", description="clip: pictures lie in the file as in the clip's, marked to be turned; or upright"
    )
    keyframe_seconds: float = Field(
        default=5.0, gt=0.0, le=60.0, description="longest time between key frames: how finely a player can seek"
    )
    threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="of the encoder; part of the result, since encoders give other bytes for another number",
    )
    label: LabelSettings = LabelSettings()
    credential: CredentialSettings = CredentialSettings()

    watermark: bool = Field(
        default=True,
        description="mark every frame invisibly with an identifier, and read it back before anything is delivered "
        "(docs/watermark.md)",
    )
    watermark_key: Path | None = Field(
        default=None,
        description="a file with a key of your own, 16 bytes or more; if null, the public one, which everybody has",
    )

    @model_validator(mode="after")
    def _fits_the_codec(self) -> Self:
        codec = CODECS[self.codec]
        if self.encoder not in ("software", "auto") and self.codec not in HARDWARE[self.encoder].codecs:
            known = ", ".join(HARDWARE[self.encoder].codecs)
            raise ValueError(f"{self.encoder} does not encode {self.codec}; it encodes {known}")
        if codec.crf is None and (self.crf is not None or self.bitrate is not None):
            raise ValueError(f"{self.codec} has neither crf nor bitrate; remove them")
        if self.crf is not None and self.bitrate is not None:
            raise ValueError("crf and bitrate exclude one another; remove one")
        if self.crf is not None and self.crf > codec.worst:
            raise ValueError(f"crf of {self.codec} is at most {codec.worst:g}")
        if self.codec == "av1" and self.crf is not None and self.crf != int(self.crf):
            raise ValueError("crf of av1 is a whole number")
        if self.container != "auto" and self.container not in codec.containers:
            held = " or ".join(codec.containers) or "a folder, not in a container"
            raise ValueError(f"container {self.container} does not hold {self.codec}; it lies in {held}")
        return self

    @property
    def quality(self) -> float:
        """The constant rate factor to use."""
        return self.crf if self.crf is not None else CODECS[self.codec].crf or 0.0
