"""An invisible mark in every frame that carries an identifier and nothing else (docs/watermark.md)."""

from stages.watermark.embedding import Watermark
from stages.watermark.keys import PUBLIC_KEY, identifier_of, key_in, key_name
from stages.watermark.reading import Reading, read, read_file, reads_back

__all__ = [
    "PUBLIC_KEY",
    "Reading",
    "Watermark",
    "identifier_of",
    "key_in",
    "key_name",
    "read",
    "read_file",
    "reads_back",
]
