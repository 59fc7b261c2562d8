"""The place that is watched: a folder, a bucket, whatever fsspec opens. Nothing is ever changed there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from fsspec.core import url_to_fs

from stages.problems import Problem, told_as_problem

FOOTAGE: Final = frozenset(
    {".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ts", ".webm", ".y4m"}
)
"""How the names of files end that are taken for footage. Folders of pictures do not say their rate: `likeness add`."""

RECORDS: Final = frozenset({".yaml", ".yml"})

APPEAR_WHOLE: Final = frozenset({"abfs", "abfss", "adl", "az", "gcs", "gs", "s3", "s3a"})
"""Object stores: a name is there when all of its content is, so nothing there is ever half arrived."""

_AHEAD: Final = 900.0
"""Seconds by which a date may lie ahead and still be one of a file that is just being written, by another clock."""

BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Found:
    """A file of the inbox.

    Attributes:
        path: as the file system takes it.
        url: as people and logs name it.
        size: bytes.
        modified: when it was last written, None where the storage does not say.
        mark: differs when the content does; where storage has entity tags, made of that.
    """

    path: str
    url: str
    size: int
    modified: datetime | None
    mark: str

    @property
    def stem(self) -> str:
        """The name without its end."""
        return _tellable(PurePosixPath(self.path).stem)

    @property
    def suffix(self) -> str:
        """The end of the name, in small letters."""
        return PurePosixPath(self.path).suffix.lower()

    @property
    def folder(self) -> str:
        """Where it lies."""
        return str(PurePosixPath(self.path).parent)


@dataclass(frozen=True)
class Content:
    """What a file holds, by two hashes: DVC's, and that of consent records. Hexadecimal."""

    md5: str
    sha256: str


@dataclass(frozen=True)
class Inbox:
    """All of it, as it was when it was listed.

    Attributes:
        footage: files that are taken for footage, by path.
        records: files that may be consent records.
    """

    files: Any
    footage: tuple[Found, ...]
    records: tuple[Found, ...]

    @classmethod
    def open(cls, url: str, root: Path) -> Inbox:
        """List it, folders within it included; hidden files are left out.

        Args:
            url: a folder, from ``root`` if it is relative, or what fsspec opens (``s3://bucket/folder``).
            root: the repository's folder.

        Raises:
            Problem: it is not there, or can not be reached.
        """
        place = url if "://" in url else str(root / url)
        try:
            files, path = url_to_fs(place)
            files.invalidate_cache()
            listed = {name: info for name, info in files.find(path, detail=True).items() if _is_shown(name, path)}
            if not listed and not _exists(files, path):
                raise Problem("there is no such place", where=url, mend="make it, or correct the name of the inbox")
        except (ImportError, ValueError) as error:
            raise Problem(f"it can not be opened ({error})", where=url, mend=_MEND) from error
        except Problem:
            raise
        except Exception as error:  # each kind of storage raises its own
            raise Problem(f"it can not be reached ({error})", where=url, mend=_MEND) from error
        found = [_found(files, name, info) for name, info in sorted(listed.items())]
        footage = tuple(each for each in found if each.suffix in FOOTAGE)
        return cls(files, footage, tuple(each for each in found if each.suffix in RECORDS))

    def has_settled(self, found: Found, seconds: float) -> bool:
        """Whether a file has arrived whole: nobody has written to it for so many seconds."""
        protocols = self.files.protocol if isinstance(self.files.protocol, tuple) else (self.files.protocol,)
        if found.modified is None or APPEAR_WHOLE & set(protocols):
            return True
        age = (datetime.now(UTC) - found.modified).total_seconds()
        # a camera's clock may be ahead, or told in another zone: from then on such a date says nothing of arriving
        return age >= seconds or age < -_AHEAD

    def has_changed(self, found: Found) -> bool:
        """Whether a file is not as it was listed any more."""
        self.files.invalidate_cache()
        try:
            return _found(self.files, found.path, self.files.info(found.path)).mark != found.mark
        except FileNotFoundError:
            return True

    def fetch(self, found: Found, target: Path | None = None) -> Content:
        """Read a file once, to hash it and, with a ``target``, to copy it there.

        Raises:
            Problem: the disk is full.
            OSError: it can not be read; that may pass.
        """
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        with self.files.open(found.path, "rb") as source, target.open("wb") if target else nullcontext() as out:
            while block := source.read(BLOCK):
                md5.update(block)
                sha256.update(block)
                if target is not None and out is not None:
                    with told_as_problem(target):
                        out.write(block)
                        out.flush()
        return Content(md5.hexdigest(), sha256.hexdigest())

    def text_of(self, found: Found) -> bytes:
        """All of a small file."""
        content: bytes = self.files.cat_file(found.path)
        return content


_MEND: Final = (
    "name a folder or a bucket (s3://bucket/folder), install what fsspec needs for it, see to its credentials"
)


def _is_shown(name: str, top: str) -> bool:
    return not any(part.startswith(".") for part in PurePosixPath(name.removeprefix(top)).parts)


def _exists(files: Any, path: str) -> bool:
    """A folder must be there; in a bucket a folder without objects is none, so its bucket must."""
    if files.exists(path):
        return True
    protocols = files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)
    return bool(APPEAR_WHOLE & set(protocols)) and bool(files.exists(path.split("/", 1)[0]))


def _found(files: Any, name: str, info: Mapping[str, Any]) -> Found:
    modified = _modified(info)
    tag = next((str(info[key]) for key in ("ETag", "etag", "md5Hash", "content_md5") if info.get(key)), None)
    mark = f"{info['size']} {tag or (modified.isoformat() if modified else '-')}"
    url = _tellable(str(files.unstrip_protocol(name)).removeprefix("file://"))
    return Found(name, url, int(info["size"]), modified, mark)


def _tellable(name: str) -> str:
    """A file's name in which bytes that are no UTF-8 are written out: neither Prefect nor JSON takes them."""
    return name.encode(errors="backslashreplace").decode()


def _modified(info: Mapping[str, Any]) -> datetime | None:
    for key in ("mtime", "LastModified", "last_modified", "updated", "modified"):
        value = info.get(key)
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None
