"""Results of spans in files, so that a killed run's are not made again."""

from __future__ import annotations

import hashlib
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from stages.atomic import whole_file
from stages.execution.engines import Engine
from stages.execution.work import Result, Span, Work
from stages.problems import Problem

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class AsArrays(Generic[Result]):
    """How a span's result is told in named arrays, without loss, and read from them."""

    arrays_of: Callable[[Result], Arrays]
    result_of: Callable[[Arrays], Result]


class Keeping:
    """An engine whose results are kept in a folder until the stage is through.

    Args:
        engine: who works on the spans whose results are not there.
        folder: of the run, see :func:`stages.resuming.resumable`: nothing that other inputs led to lies there.
        form: how a result is kept.
    """

    def __init__(self, engine: Engine, folder: Path, form: AsArrays[Any]) -> None:
        self._engine, self._folder, self._form = engine, folder, form

    def map(self, work: Work[Span, Result], spans: Iterable[Span]) -> Iterator[Result]:
        """As :meth:`stages.execution.engines.Engine.map`.

        Raises:
            Problem: a kept result can not be read; the disk is full.
        """
        order: deque[tuple[Path, bool]] = deque()

        def missing() -> Iterator[Span]:
            for span in spans:
                path = self._path(work, span)
                order.append((path, path.is_file()))
                if not order[-1][1]:
                    yield span

        for result in self._engine.map(work, missing()):
            yield from self._kept(order)
            # safetensors takes an array's memory as it lies, whatever its strides say
            arrays = {name: np.asarray(array, order="C") for name, array in self._form.arrays_of(result).items()}
            with whole_file(order.popleft()[0]) as scratch:
                scratch.write_bytes(save(arrays))
            yield result
        yield from self._kept(order)

    def _kept(self, order: deque[tuple[Path, bool]]) -> Iterator[Any]:
        """The results that lie there before the first one that does not."""
        while order and order[0][1]:
            yield self._read(order.popleft()[0])

    def _path(self, work: Work[Span, Result], span: Span) -> Path:
        """Named by what is done and to what. Pickled only to be hashed: a span may hold tables and arrays."""
        told = repr(work).encode() + pickle.dumps(span, protocol=5)
        return self._folder / f"span-{hashlib.sha256(told).hexdigest()[:24]}.safetensors"

    def _read(self, path: Path) -> Any:
        try:
            return self._form.result_of(load_file(path))
        except (SafetensorError, KeyError) as error:
            raise Problem(f"it can not be read: {error}", where=path, mend="remove it and run again") from error
