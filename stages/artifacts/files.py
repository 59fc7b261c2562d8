"""Facts as JSON, tables as Parquet, arrays as safetensors in shards: the same bytes for the same content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from stages.problems import Problem

SHARD_ROWS = 1000
"""Rows in a shard at most: one changed row stores one shard again, not the whole artifact."""


def write_facts(path: Path, facts: dict[str, Any]) -> None:
    """JSON with sorted keys, so that equal facts are equal bytes."""
    path.write_text(json.dumps(facts, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def read_facts(path: Path) -> dict[str, Any]:
    """What :func:`write_facts` wrote.

    Raises:
        Problem: the file is missing or is no JSON object.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise missing(path) from None
    except ValueError as error:
        raise Problem(f"it is no JSON: {error}", where=path, mend=REMAKE) from error
    if not isinstance(facts, dict):
        raise Problem("it holds no JSON object", where=path, mend=REMAKE)
    return facts


REMAKE = "remove it and run `dvc repro`, which makes or fetches it again"
"""The mend of a damaged artifact."""


def missing(path: Path) -> Problem:
    """The problem of an artifact that is not there."""
    return Problem("this artifact is not there", where=path, mend="run `dvc repro` for the stage that makes it")


def write_table(path: Path, table: pd.DataFrame, schema: pa.Schema) -> None:
    """Parquet with the schema's columns, in its order and types.

    Raises:
        ValueError: a column is missing or does not fit its type.
    """
    pq.write_table(arrow_of(table, schema), path, compression="zstd")


def arrow_of(table: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Rows as Arrow has them, with the schema's columns, in its order and types.

    Raises:
        ValueError: a column is missing or does not fit its type.
    """
    lacking = [name for name in schema.names if name not in table.columns]
    if lacking:
        raise ValueError(f"the table lacks the columns {lacking}")
    arrow = pa.Table.from_pandas(table[schema.names], schema=schema, preserve_index=False)
    return arrow.replace_schema_metadata(None)


def read_table(path: Path, schema: pa.Schema, without: Sequence[str] = ()) -> pd.DataFrame:
    """The table of an artifact, all its columns but those ``without``; list columns come as numpy arrays.

    Raises:
        Problem: the file is missing, is no Parquet or lacks columns.
    """
    with opened_table(path, schema.names) as file:
        try:
            columns = [name for name in file.schema_arrow.names if name not in without]
            frame: pd.DataFrame = file.read(columns=columns).to_pandas()
        except (pa.ArrowInvalid, OSError) as error:
            raise _unreadable(path, error) from error
    return frame


def opened_table(path: Path, columns: Sequence[str]) -> pq.ParquetFile:
    """The table of an artifact, nothing of it read yet.

    Raises:
        Problem: the file is missing, is no Parquet or lacks one of the columns.
    """
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError:
        raise missing(path) from None
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    lacking = [name for name in columns if name not in file.schema_arrow.names]
    if lacking:
        file.close()
        raise Problem(f"it lacks the columns {', '.join(lacking)}", where=path, mend=REMAKE)
    return file


def _unreadable(path: Path, error: Exception) -> Problem:
    return Problem(f"it is no readable Parquet table: {error}", where=path, mend=REMAKE)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_all(paths: Sequence[Path]) -> str:
    """SHA-256 over the names and contents of files, in their order, in hexadecimal."""
    joined = hashlib.sha256()
    for path in paths:
        joined.update(f"{path.name} {sha256_of(path)}\n".encode())
    return joined.hexdigest()


def shard_path(folder: Path, shard: int, ending: str) -> Path:
    """Where shard number ``shard`` lies."""
    return folder / f"shard-{shard:04d}.{ending}"


def read_rows(folder: Path, name: str, places: Sequence[tuple[int, int]]) -> Iterator[NDArray[Any]]:
    """Rows of one named array, in the order of ``places`` (shard, row); shards are memory-mapped.

    Raises:
        Problem: a shard is missing, damaged or too short.
    """
    shard = -1
    reader: Any = None
    for wanted, row in places:
        path = shard_path(folder, wanted, "safetensors")
        try:
            if wanted != shard or reader is None:
                reader = safe_open(path, framework="numpy")
                shard = wanted
            yield reader.get_slice(name)[row : row + 1][0]
        except FileNotFoundError:
            raise missing(path) from None
        except (SafetensorError, IndexError) as error:
            raise Problem(f"row {row} of '{name}' can not be read: {error}", where=path, mend=REMAKE) from error
