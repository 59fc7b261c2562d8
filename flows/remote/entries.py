"""Parts of dvc.lock that go from one clone to another; DVC itself reads and writes them.

A clone need not hold what a stage reads. Then the hash of what is missing is what dvc.lock has of the stage that makes
it, as ``dvc repro --allow-missing`` takes it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from dvc.stage.loader import StageLoader
from dvc.utils.serialize import parse_yaml

from flows.pipeline import address_of, opened
from stages.atomic import whole_file
from stages.problems import Problem

LOCK: Final = "dvc.lock"


def read(root: Path, addresses: Collection[str]) -> dict[str, dict[str, Any]]:
    """What dvc.lock has of some stages; those that it does not know are left out.

    It takes DVC's lock, so whoever holds it must not call this: a second time even the same process waits for ever.
    """
    file = root / LOCK
    if not file.is_file():
        return {}
    with opened(root) as repo, repo.lock:  # DVC rewrites it in place: half of it would lack stages
        # as DVC reads it: to YAML 1.1, which PyYAML reads, a clip's start of 0:01:12.5 is a number
        content = parse_yaml(file.read_text(encoding="utf-8"), str(file)) or {}
    return {name: entry for name, entry in content.get("stages", {}).items() if name in addresses}


def put(root: Path, entries: Mapping[str, dict[str, Any]]) -> None:
    """Enter parts of another clone's dvc.lock; an entry that is there already is replaced.

    Raises:
        Problem: dvc.yaml does not have one of the stages.
    """
    known = read(root, entries)
    news = {address: entry for address, entry in entries.items() if known.get(address) != entry}
    if not news:
        return
    with opened(root) as repo, repo.lock:
        stages = _stages(repo)
        for address, entry in news.items():
            _fill(_named(stages, address), entry)
            _dump(stages[address])


def take_in(root: Path, address: str, entry: dict[str, Any], files: Mapping[str, str], upstream: Iterable[str]) -> None:
    """Enter what a worker made, if it is what this clone would have made.

    What lies here of the stage's former results is removed, as DVC does before it runs a stage; its cache keeps them.

    Args:
        root: the repository's folder.
        address: the stage.
        entry: its part of the worker's dvc.lock.
        files: what DVC does not keep of the results: path -> text.
        upstream: the stages that it reads.

    Raises:
        Problem: the worker's command, code, settings or inputs were others.
    """
    with opened(root) as repo, repo.lock:
        stages = _stages(repo)
        stage = _named(stages, address)
        # before the entry is filled in: what lies here differs from it, and is removed
        former = [out for out in stage.outs if out.exists]
        _fill(stage, entry)
        if stage.changed_stage() or stage._changed_deps(
            allow_missing=True, upstream=[stages[each] for each in upstream]
        ):
            raise Problem(
                "a worker made it by another command, code, settings or inputs than are here",
                where=address,
                mend="bring the worker's clone to this revision, with nothing changed in it",
            )
        strange = files.keys() - _kept_by_git(stage, root)
        if strange:
            raise Problem(
                f"a worker sent '{min(strange)}', which the stage does not write",
                where=address,
                mend="nothing was written; see to it that only your own workers may write to Prefect's server",
            )
        for out in former:
            if out.status():
                out.remove()
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            with whole_file(root / path) as part:
                part.write_text(text, encoding="utf-8")
        _dump(stage)


def uncached(root: Path, address: str) -> dict[str, str]:
    """The text of the files among a stage's results that DVC does not keep."""
    with opened(root) as repo, repo.lock:
        names = _kept_by_git(_named(_stages(repo), address), root)
    return {name: (root / name).read_text(encoding="utf-8") for name in sorted(names) if (root / name).is_file()}


def _kept_by_git(stage: Any, root: Path) -> set[str]:
    """Paths, from the repository's folder, of those of a stage's results that DVC does not keep."""
    return {Path(out.fs_path).relative_to(root).as_posix() for out in stage.outs if not out.use_cache}


def lie_in(root: Path, remote: str, address: str, entry: Mapping[str, Any]) -> bool:
    """Whether a remote has the results that a part of dvc.lock names; of a folder, its list is looked for."""
    hashes = {out["path"]: out["md5"] for out in entry.get("outs", [])}
    with opened(root) as repo:
        with repo.lock:
            kept = [out.def_path for out in _named(_stages(repo), address).outs if out.use_cache]
        store = repo.cloud.get_remote_odb(remote)
        return all(store.exists(hashes[path]) for path in kept)


def stale(repo: Any, addresses: Collection[str]) -> list[str]:
    """Which of these stages are not as inputs and settings want them, whether their data lie here or not."""
    with repo.lock:
        stages, graph = _stages(repo), repo.index.graph
        found = []
        for address in addresses:
            if (stage := stages.get(address)) is None:
                continue  # taken out of params.yaml meanwhile
            # DVC's edges go from a stage to what it needs
            if stage.changed(allow_missing=True, upstream=list(graph.successors(stage))) or _never_made(stage):
                found.append(address)
        return found


def _never_made(stage: Any) -> bool:
    """Whether dvc.lock does not know it: with data missing on all sides DVC would let it pass."""
    return any(not out.hash_info for out in stage.outs) if stage.cmd else False


def _stages(repo: Any) -> dict[str, Any]:
    return {address_of(stage): stage for stage in repo.index.stages}


def _named(stages: Mapping[str, Any], address: str) -> Any:
    if address not in stages:
        raise Problem("there is no such stage", where=address, mend="bring this clone to the revision that has it")
    return stages[address]


def _dump(stage: Any) -> None:
    """Enter a stage in dvc.lock, without a word about it."""
    told = logging.getLogger("dvc.dvcfile")
    level = told.level
    told.setLevel(logging.WARNING)
    try:
        stage.dump(update_pipeline=False)
    finally:
        told.setLevel(level)


def _fill(stage: Any, entry: dict[str, Any]) -> None:
    """Let a stage have what dvc.lock says, as DVC does when it loads one."""
    StageLoader.fill_from_lock(stage, entry)
    stage.cmd_changed = entry.get("cmd") != stage.cmd


def tracked_results(repo: Any) -> frozenset[str]:
    """The paths of results that DVC does not keep and git may."""
    with repo.lock:
        stages = _stages(repo).values()
    outs = [Path(out.fs_path) for stage in stages for out in stage.outs if not out.use_cache]
    return frozenset(out.relative_to(repo.root_dir).as_posix() for out in outs)
