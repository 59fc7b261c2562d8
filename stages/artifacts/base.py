"""The shared base that pairs start from: one encoder, and the decoder of nobody in particular."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from stages.artifacts.files import missing, read_facts, sha256_of, write_facts
from stages.problems import Problem


@dataclass(frozen=True)
class Base:
    """``weights.safetensors`` holds float16 tensors named ``encoder.*`` and ``decoder.*``, ``facts.json`` their origin.

    Attributes:
        folder: where both lie.
        facts: recipe, hashes of renders and code, versions, figures.
    """

    folder: Path
    facts: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Base:
        """Raises: Problem if facts.json is missing or damaged."""
        return cls(folder, read_facts(folder / "facts.json"))

    @staticmethod
    def write(
        folder: Path, encoder: Mapping[str, Tensor], decoder: Mapping[str, Tensor], facts: dict[str, Any]
    ) -> None:
        """Write both files into an existing folder."""
        named = {f"encoder.{name}": tensor for name, tensor in encoder.items()}
        named |= {f"decoder.{name}": tensor for name, tensor in decoder.items()}
        kept = {name: tensor.detach().cpu().to(torch.float16).contiguous() for name, tensor in named.items()}
        save_file(kept, folder / "weights.safetensors")
        write_facts(folder / "facts.json", facts)

    @property
    def sha256(self) -> str:
        """Of the weights.

        Raises:
            Problem: they are missing.
        """
        path = self.folder / "weights.safetensors"
        if not path.is_file():
            raise missing(path)
        return sha256_of(path)

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors of ``encoder`` or ``decoder``, float32.

        Raises:
            Problem: the weights are missing or damaged.
        """
        path = self.folder / "weights.safetensors"
        try:
            tensors = load_file(path)
        except FileNotFoundError:
            raise missing(path) from None
        except SafetensorError as error:
            raise Problem(
                f"it can not be read: {error}", where=path, mend="take it from the repository, or run `make base`"
            ) from error
        return {key.removeprefix(f"{name}."): t.float() for key, t in tensors.items() if key.startswith(f"{name}.")}
