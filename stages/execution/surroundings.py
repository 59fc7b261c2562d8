"""What a worker on another machine must have in common with the stage, or its results would be others."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np

from stages.artifacts.files import sha256_of
from stages.problems import Problem

CODE: Final = Path(__file__).parent.parent
"""The package ``stages``."""

PACKAGES: Final = (
    "numpy", "scipy", "pandas", "pyarrow", "opencv-python", "scikit-image", "onnxruntime", "onnxruntime-gpu",
    "insightface", "av", "safetensors", "pydantic",
)  # fmt: skip
"""Whose versions may change a result."""

ABSENT: Final = "absent"


@dataclass(frozen=True)
class Surroundings:
    """Of one process.

    Attributes:
        code: SHA-256 of all modules of ``stages``.
        versions: of Python and of the packages that results depend on.
        vector: the vector instructions that numpy finds in the processor. Where they differ, last digits may.
        files: SHA-256 of the files that tell which artifacts are read, "absent" where there is none.
    """

    code: str
    versions: dict[str, str]
    vector: tuple[str, ...]
    files: dict[str, str]


def surroundings(files: Sequence[Path]) -> Surroundings:
    """Those of this process; relative paths are taken from its working directory."""
    return Surroundings(
        _code(),
        {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        _vector(),
        {str(path): sha256_of(path) if path.is_file() else ABSENT for path in files},
    )


def require_same(mine: Surroundings, theirs: Surroundings, worker: str) -> None:
    """Refuse a worker whose results could be others.

    Args:
        mine: of the stage.
        theirs: of the worker.
        worker: its address.

    Raises:
        Problem: it has other code, other versions of packages, or other artifacts.
    """
    if theirs.code != mine.code:
        raise Problem(
            "this worker has other code in stages/ than the stage",
            where=worker,
            mend="check the same commit out for both and start the worker again",
        )
    differing = [
        f"{name} {theirs.versions.get(name)} where {number} is needed"
        for name, number in mine.versions.items()
        if theirs.versions.get(name) != number
    ]
    if differing:
        raise Problem(
            f"this worker has other versions: {', '.join(differing)}",
            where=worker,
            mend="install requirements.lock in its environment and start it again",
        )
    for path, sha256 in mine.files.items():
        if theirs.files.get(path) != sha256:
            missing = theirs.files.get(path) == ABSENT
            raise Problem(
                f"this worker {'does not have' if missing else 'has another'} {path}",
                where=worker,
                mend="start it in the project's folder, and share the folder or run `dvc pull` there",
            )


@cache
def _code() -> str:
    """As it is when it is first asked for: a process goes on with the modules that it has loaded."""
    joined = hashlib.sha256()
    for path in sorted(CODE.rglob("*.py")):
        joined.update(f"{path.relative_to(CODE).as_posix()} {sha256_of(path)}\n".encode())
    return joined.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ABSENT


def _vector() -> tuple[str, ...]:
    found: Any = np.show_config(mode="dicts")
    instructions = found["SIMD Extensions"]
    return (*instructions.get("baseline", ()), *instructions.get("found", ()))
