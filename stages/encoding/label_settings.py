"""What can be set about the visible label, and what the rules of the EU and of China ask of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Place = Literal["top-left", "top-right", "bottom-left", "bottom-right", "top", "bottom", "middle"]

WHOLE: Final = "all"
"""Seconds of a label that stays to the end."""

SIGNS_OF_THE_EU: Final = ("AI", "KI", "IA")
"""Artificial intelligence in short, in the languages of the EU: English; German; French, Spanish and their kin."""

LEAST_HEIGHT_OF_THE_EU: Final = 0.03
"""Of the shortest side. The AI Act (article 50(5)) asks for a label that is clear and distinguishable and gives no
number, so this is ours: on a phone held crosswise (65 mm high, 30 cm away) such letters are 22 minutes of arc tall, as
ISO 9241-303 recommends for text; on a screen that is watched from three times its height they are 34."""

LEAST_HEIGHT: Final = 0.05
"""Of the shortest side: GB 45438-2025, 4.5 b, of text at the beginning of a video."""

LEAST_SECONDS: Final = 2.0
"""GB 45438-2025, 4.5 c."""

ARTIFICIAL: Final = ("AI", "人工智能")
MADE: Final = ("生成", "合成")
"""GB 45438-2025, 4.1: a text label names artificial intelligence, and that something was generated or synthesised."""


class LabelSettings(BaseModel):
    """Section ``encoding.label``; what is null is as the rules want it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: Literal["none", "eu", "china"] = Field(
        default="none",
        description="eu: the sign AI in the top right corner from first to last; china: the words of GB 45438-2025 "
        "from the first frame on, for the first seconds; none: no label unless there is a text",
    )
    text: str | None = Field(
        default=None,
        min_length=1,
        max_length=80,
        description="one line, in place of the rules' own; eu: with AI, KI or IA as a word; china: with AI or 人工智能 "
        "and 生成 or 合成",
    )
    place: Place | None = Field(default=None, description="in the picture as it is seen")
    height: float | None = Field(
        default=None,
        ge=0.01,
        le=0.3,
        description="of its capital letters, as a share of the picture's shortest side; eu: at least 0.03, china: 0.05",
    )
    seconds: float | Literal["all"] | None = Field(
        default=None, description="how long from the first frame on; all: to the last"
    )
    font: Path | None = Field(default=None, description="a font file, if the letters of the text are not in ours")

    @model_validator(mode="after")
    def _obeys_its_rules(self) -> Self:
        if isinstance(self.seconds, float) and self.seconds <= 0.0:
            raise ValueError("seconds must be more than 0, or all")
        if self.text is not None and (not self.text.strip() or not self.text.isprintable()):
            raise ValueError("the text must be one line of letters")
        if self.rules == "eu":
            self._obeys_the_eu()
        if self.rules == "china":
            self._obeys_china()
        return self

    def _obeys_the_eu(self) -> None:
        if self.seconds not in (None, WHOLE):
            raise ValueError("the EU's sign stays from first to last; leave seconds out, or set rules to none")
        if self.height is not None and self.height < LEAST_HEIGHT_OF_THE_EU:
            raise ValueError(
                f"the EU's sign is to be seen at first sight: height is at least {LEAST_HEIGHT_OF_THE_EU:g}, "
                f"{LEAST_HEIGHT_OF_THE_EU:.0%} of the shortest side; leave it out, or set rules to none"
            )
        if self.text is not None and not set(re.findall(r"\w+", self.text)) & set(SIGNS_OF_THE_EU):
            raise ValueError(
                f"the EU's sign names artificial intelligence: the text needs {', '.join(SIGNS_OF_THE_EU[:-1])} or "
                f"{SIGNS_OF_THE_EU[-1]} as a word of its own, in capitals; leave text out for AI, or set rules to none"
            )

    def _obeys_china(self) -> None:
        if self.height is not None and self.height < LEAST_HEIGHT:
            raise ValueError(f"China asks for letters of at least {LEAST_HEIGHT:.0%} of the shortest side")
        if isinstance(self.seconds, float) and self.seconds < LEAST_SECONDS:
            raise ValueError(f"China asks for at least {LEAST_SECONDS:g} seconds from the first frame on")
        if self.text is not None and not all(any(word in self.text for word in words) for words in (ARTIFICIAL, MADE)):
            raise ValueError(f"China asks for a text with one of {', '.join(ARTIFICIAL)} and one of {', '.join(MADE)}")

    @property
    def wanted(self) -> Label | None:
        """The label with everything said; None if there is to be none."""
        if self.rules == "none" and self.text is None:
            return None
        text, place, seconds = _USUAL[self.rules]
        return Label(
            text=(self.text or text).strip(),
            place=self.place or place,
            height=self.height or LEAST_HEIGHT,
            seconds=None if (said := self.seconds or seconds) == WHOLE else float(said),
            font=self.font,
        )


class Label(BaseModel):
    """A label with everything said.

    Attributes:
        seconds: from the first frame on; None to the last.
        font: None for ours.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    place: Place
    height: float
    seconds: float | None
    font: Path | None


_USUAL: Final[dict[str, tuple[str, Place, float | Literal["all"]]]] = {
    "none": ("", "top-right", "all"),
    "eu": ("AI", "top-right", "all"),
    "china": ("AI合成", "top-left", 4.0),
}
"""Text, place and seconds that each kind of rules has unless they are set."""
