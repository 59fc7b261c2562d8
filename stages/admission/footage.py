"""Whether a clip's file can be read, without decoding it."""

from __future__ import annotations

import stat
from pathlib import Path

from stages.pictures import PictureSequence
from stages.problems import Problem, nearest
from stages.settings import PERFORMANCES, TRUTHS, Params, rendered_clips


def require_footage(name: str, params: Params) -> None:
    """Make sure that a clip's file is there, unless the pipeline makes it.

    What ``rendering`` or ``truth`` makes is not looked at: it may not be there yet, and DVC has it made before
    ``extraction`` reads it.

    Raises:
        Problem: the file is missing, neither a regular file nor a folder of pictures, unreadable or empty.
    """
    clip = params.clip(name)
    path = clip.path
    rendered = rendered_clips(params)
    if path in rendered:
        return
    field = f"clips.{name}.path in params.yaml"
    try:
        if path.is_dir():
            _require_pictures(name, PictureSequence.find(path, clip.rate, clip.pictures))
            return
        # Looked at before it is opened: opening a named pipe would wait for somebody to write to it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise Problem(
                f"the clip '{name}' is no regular file",
                where=path,
                mend=f"name a video file, or a folder of pictures, at {field}",
            )
        with path.open("rb") as stream:
            if not stream.read(1):
                raise Problem(f"the clip '{name}' is empty", where=path, mend="copy it there once more")
    except (FileNotFoundError, NotADirectoryError):
        raise Problem(f"the clip '{name}' is not there", where=path, mend=_mend(path, field, rendered)) from None
    except OSError as error:
        raise Problem(
            f"the clip '{name}' can not be read ({error.strerror})", where=path, mend="check its permissions and links"
        ) from error


def _require_pictures(name: str, pictures: PictureSequence) -> None:
    """None of a clip's pictures may be empty or unreadable."""
    for path in pictures.files:
        with path.open("rb") as stream:
            if not stream.read(1):
                raise Problem(f"this picture of the clip '{name}' is empty", where=path, mend="copy it there once more")


def _mend(path: Path, field: str, rendered: list[Path]) -> str:
    if any(part.with_name(f"{part.name}.dvc").is_file() for part in (path, *path.parents) if part.name):
        return "DVC tracks it: `dvc checkout` brings it back from the cache, `dvc pull` from the remote"
    if path.is_relative_to(PERFORMANCES) or path.is_relative_to(TRUTHS):
        close = nearest(str(path), [str(each) for each in rendered])
        return f"nothing in params.yaml renders it: add its performance, or correct {field} ({close})"
    if any(sign in path.name for sign in "%#*"):
        return f"for a folder of pictures name the folder at {field}, and their names at `pictures`: shot.#.png"
    return f"put it there or correct {field}"
