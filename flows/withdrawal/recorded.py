"""All steps that DVC ever wrote down here: every dvc.lock that git knows, the one that lies here, and the run cache."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from flows.lineage.records import Artifact, Records, Step, in_yaml, step_of
from stages.problems import Problem
from stages.progress import progress
from stages.settings import Params


@dataclass(frozen=True)
class Recorded:
    """Steps, each once.

    Attributes:
        steps: of any time.
        present: those of the ``dvc.lock`` that lies here and of the pipeline as it is now.
        snapshots: the steps of each ``dvc.lock``, by address.
        runs: name of an entry of the run cache -> its step.
    """

    steps: list[Step]
    present: list[Step]
    snapshots: list[Records] = field(default_factory=list)
    runs: dict[str, Step] = field(default_factory=dict)

    @classmethod
    def gather(cls, root: Path, pipeline: list[Step], runs: Mapping[str, bytes]) -> Recorded:
        """Read all of it.

        Args:
            root: the repository's folder.
            pipeline: the stages as they are now.
            runs: entries of the run cache, here and on remotes, by name.
        """
        lock = root / "dvc.lock"
        texts = list(_in_git(root))
        here = [lock.read_bytes()] if lock.is_file() else []
        snapshots = [records for text in progress(texts, total=len(texts), what="history", unit="dvc.lock")
                     if (records := _parsed(text)) is not None]  # fmt: skip
        now = [records for text in here if (records := _parsed(text)) is not None]
        present = [*pipeline, *(step for records in now for step in records.steps.values())]
        locked = [*present, *(step for records in snapshots for step in records.steps.values())]
        stages = {output.path: step.stage for step in locked for output in step.outputs}
        cached = {name: step for name, text in runs.items() if (step := _of_run(text, stages)) is not None}
        unique: dict[str, Step] = {}
        for step in (*locked, *cached.values()):
            unique.setdefault(key_of(step), step)
        return cls(list(unique.values()), present, [*now, *snapshots], cached)


def pipeline_steps(repo: Any, root: Path, params: Params) -> list[Step]:
    """The stages of an opened DVC repository as they are now, with the hashes that are recorded of them."""
    clips = {
        f"clips.{name}": {"identity": clip.identity, "path": str(clip.path)} for name, clip in params.clips.items()
    }
    whole = {"clips": {name.removeprefix("clips."): clip for name, clip in clips.items()}}
    steps = []
    for stage in repo.index.stages:
        asked = [name for dependency in stage.deps for name in getattr(dependency, "params", ())]
        settings = {name: value for name, value in {**clips, **whole}.items() if name in asked}
        plain = [dependency for dependency in stage.deps if not hasattr(dependency, "params")]
        steps.append(
            Step(
                getattr(stage, "name", None) or str(stage.path_in_repo),
                "",
                {"params.yaml": settings},
                tuple(_here(each, root) for each in plain if each.is_in_repo),
                tuple(_here(each, root) for each in stage.outs if each.is_in_repo),
            )
        )
    return steps


def _here(entry: Any, root: Path) -> Artifact:
    return Artifact(Path(entry.fs_path).relative_to(root).as_posix(), entry.hash_info.value or "", 0)


def _in_git(root: Path) -> Iterator[bytes]:
    """Every version of ``dvc.lock`` that a branch, tag, stash, experiment or the reflog leads to, each once."""
    listed = _git(root, "rev-list", "--all", "--reflog", "--objects", "--", "dvc.lock")
    blobs = [line.split(" ", 1)[0] for line in listed.decode().splitlines() if line.endswith("dvc.lock")]
    content = _git(root, "cat-file", "--batch", given="\n".join(blobs).encode())
    at = 0
    while at < len(content):
        end = content.index(b"\n", at)
        size = int(content[at:end].split()[-1])
        yield content[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def _git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git says; nothing where there is no git.

    Raises:
        Problem: there is a repository and git does not open it: what it keeps of a person is not known then.
    """
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], input=given, capture_output=True, check=True)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        if not any((folder / ".git").exists() for folder in (root, *root.resolve().parents)):
            return b""
        said = error.stderr.decode(errors="replace").strip() if hasattr(error, "stderr") else str(error)
        raise Problem(
            f"git does not tell what it keeps ({said})", where=root, mend=f"see what `git {arguments[0]}` wants there"
        ) from error
    return done.stdout


def tracked(root: Path, paths: list[str]) -> list[str]:
    """Those of the files below these paths that git keeps."""
    top = Path(_git(root, "rev-parse", "--show-toplevel").decode().strip() or root).resolve()
    inside = [path for path in paths if (root / path).parent.resolve().is_relative_to(top)]
    if not inside:
        return []
    listed = _git(root, "ls-files", "-z", "--", *inside)
    return [path for path in listed.decode().split("\0") if path]


def _parsed(text: bytes) -> Records | None:
    """None for one that can not be read: a merge with conflicts was committed, say."""
    try:
        return Records.parse(text)
    except ValueError:
        return None


def _of_run(text: bytes, stages: Mapping[str, str]) -> Step | None:
    """An entry of the run cache, which names no stage: it is the one that writes what the entry does."""
    try:
        step = step_of("", in_yaml(text))
    except (YAMLError, KeyError, TypeError, AttributeError):
        return None
    return replace(step, stage=next((stages[each.path] for each in step.outputs if each.path in stages), ""))


def key_of(step: Step) -> str:
    """Tells a step, as it was made once, from all others."""
    inputs, outputs = ([(each.path, each.md5) for each in side] for side in (step.inputs, step.outputs))
    return json.dumps([step.stage, step.settings, inputs, outputs], sort_keys=True, default=str)
