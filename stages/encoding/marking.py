"""The invisible mark of a deliverable: put into frames on their way to the encoder, read back from what it wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from stages.artifacts.deliverable import Deliverable
from stages.artifacts.frames import Frames
from stages.encoding.settings import EncodingSettings
from stages.problems import Problem
from stages.video import NativeFrame, VideoFacts
from stages.watermark import Watermark, identifier_of, key_in, key_name, reads_back

SMALLEST = 160
"""Pixels of the shorter side: a frame that is smaller has too few to hold the mark."""


class Marking:
    """The mark of one deliverable.

    Attributes:
        identifier: that it carries. It stands for the lineage, the finished frames and how they are encoded, so the
            same deliverable made again carries the same one. No one can be told from it.
        facts: what ``facts.json`` says of it.
    """

    def __init__(self, of: str, finished: Frames, settings: EncodingSettings) -> None:
        """The mark ``of`` a lineage, told by its root hash.

        Raises:
            Problem: the frames are too small for a mark, or the key's file is not there.
        """
        require_room(finished.facts, finished.folder)
        self._key, self._full_range = key_in(settings.watermark_key), _full_range(finished.facts)
        pictures = hashlib.sha256("".join(finished.index["hash"]).encode()).hexdigest()
        said = settings.model_dump_json(exclude={"watermark", "watermark_key", "credential"})
        self.identifier = identifier_of(self._key, of, pictures, said)
        self.facts = {"identifier": f"{self.identifier:012x}", "key": key_name(self._key)}

    def marked(self, frames: Iterable[NativeFrame]) -> Iterator[NativeFrame]:
        """The frames, which must come in order from the first, each marked in place.

        Raises:
            Problem: their pixel format can not be marked.
        """
        mark = Watermark(self._key, self.identifier, full_range=self._full_range)
        for frame in frames:
            mark.embed(frame.picture)
            yield frame

    def check(self, made: Deliverable) -> None:
        """Read the mark from what was written, as far into it as it takes to be sure.

        Raises:
            Problem: it can not be read.
        """
        if not reads_back(made.frames(), self._key, self.identifier):
            raise Problem(
                "its watermark can not be read back, so it is not delivered",
                where=made.video,
                mend="choose a better quality (a lower encoding.crf or a higher encoding.bitrate); frames of one "
                "colour, or nearly black, can hold no mark: for such a film set encoding.watermark: false",
            )


def require_room(facts: VideoFacts, where: Path) -> None:
    """Make sure that frames are large enough for a mark.

    Raises:
        Problem: they are not.
    """
    if min(facts.width, facts.height) < SMALLEST:
        raise Problem(
            f"frames of {facts.width} x {facts.height} pixels are too small for the watermark, "
            f"which needs {SMALLEST} on the shorter side",
            where=where,
            mend="take larger footage; for a test, set encoding.watermark: false",
        )


def _full_range(facts: VideoFacts) -> bool:
    """Whether black is code 0: in R, G and B always, in grey unless a film says otherwise."""
    if facts.pixel_format.startswith("yuv"):
        return facts.full_range
    return not (facts.pixel_format.startswith("gray") and facts.range == "tv")
