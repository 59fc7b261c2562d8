"""The stage graph as DVC itself resolves it, what of it was chosen, and what of that is stale."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import networkx as nx
import yaml
from dvc.dependency import ParamsDependency
from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo

from flows import books, damage
from stages.problems import Problem, nearest

FOREACH = re.compile(r"^\$\{(?:\w+\.)*(\w+)\}$")
"""A ``foreach`` over a section of params.yaml; the section is what :class:`Selection` names items of."""

LOCK_IN_ERROR = re.compile(r"dvc\.lock' (?:validation failed|is invalid)|unable to read: '(?:.*/)?dvc\.lock'")
CUT_OFF = "`git checkout dvc.lock`, run again; what was made since that commit is then taken from DVC's cache"
"""DVC rewrites dvc.lock in place: a process that is killed meanwhile, or a full disk, leaves it cut off."""

BUSY = "another process works on it now"


@dataclass(frozen=True)
class Selection:
    """The items of params.yaml whose results are wanted; with none named, all of the pipeline."""

    swaps: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()

    def items(self) -> list[tuple[str, str]]:
        """(section of params.yaml, item) for everything that was named."""
        return [(section, item) for section in ("swaps", "pairs", "clips") for item in getattr(self, section)]


@dataclass(frozen=True)
class Pipeline:
    """The stages of a repository by address (``training@ada-ben``).

    Attributes:
        root: the repository's folder.
        graph: an edge from each stage to those that read what it writes. A node's ``outs`` are its outputs as
            (path, md5 or None), its ``metrics`` the paths of its metrics files, its ``size`` the bytes of its outputs
            as recorded, its ``kept`` whether DVC keeps any of them.
        sections: section of params.yaml -> names of the stages that DVC makes for each of its items.
    """

    root: Path
    graph: nx.DiGraph[str]
    sections: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> Pipeline:
        """Read dvc.yaml, dvc.lock and params.yaml through DVC.

        Raises:
            Problem: DVC can not make sense of them.
        """
        with opened(root) as repo:
            return cls.of(root, repo)

    @classmethod
    def of(cls, root: Path, repo: Any) -> Pipeline:
        """The pipeline of a repository that is open."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        sections: dict[str, list[str]] = {}
        with repo.lock:  # DVC rewrites dvc.lock in place: another run's half of it is no lock
            index = repo.index
            stages = index.stages
        for stage in stages:
            outs = [(out.fs_path, out.hash_info.value) for out in stage.outs]
            graph.add_node(
                address_of(stage),
                outs=[(str(Path(path).relative_to(root)), md5) for path, md5 in outs],
                metrics=[str(Path(out.fs_path).relative_to(root)) for out in stage.outs if out.metric],
                size=sum(out.meta.size or 0 for out in stage.outs if out.meta),
                kept=any(out.use_cache for out in stage.outs),
            )
        # DVC's edges go from a stage to what it needs.
        graph.add_edges_from((address_of(needed), address_of(stage)) for stage, needed in index.graph.edges)
        for file in sorted({stage.path for stage in stages if stage.path.endswith(".yaml")}):
            for name, definition in _definitions(Path(file)):
                match = FOREACH.match(str(definition.get("foreach", "")))
                if match:
                    sections.setdefault(match[1], []).append(name)
        return cls(root, graph, sections)

    def chosen(self, selection: Selection) -> nx.DiGraph[str]:
        """The stages that make the selection, with everything upstream of them.

        Raises:
            Problem: an item that params.yaml does not have was named.
        """
        if not selection.items():
            return self.graph
        wanted: set[str] = set()
        for section, item in selection.items():
            addresses = {f"{stage}@{item}" for stage in self.sections.get(section, [])} & set(self.graph)
            if not addresses:
                raise Problem(
                    f"there is no '{item}' in this section ({nearest(item, self.items_of(section))})",
                    where=f"params.yaml: {section}",
                    mend="name one that is there, or add it",
                )
            wanted |= addresses
        for address in list(wanted):
            wanted |= nx.ancestors(self.graph, address)
        return self.graph.subgraph(wanted)

    def items_of(self, section: str) -> list[str]:
        """The items of a section for which there is a stage."""
        stages = self.sections.get(section, [])
        split = (address.rpartition("@") for address in self.graph)
        return sorted({item for stage, _, item in split if stage in stages})

    def outputs(self, address: str) -> list[tuple[str, str | None]]:
        """(path, md5) of what a stage writes; the md5 is None before the first run."""
        return list(self.graph.nodes[address]["outs"])


@dataclass(frozen=True)
class Plan:
    """What there is to do for a selection.

    Attributes:
        pipeline: the whole pipeline.
        graph: the chosen part of it.
        stages: the stages to run, in an order in which they can run.
    """

    pipeline: Pipeline
    graph: nx.DiGraph[str]
    stages: list[str]

    @classmethod
    def make(cls, root: Path, selection: Selection) -> Plan:
        """Look at the repository.

        Raises:
            Problem: an unknown name, or a pipeline that DVC can not read.
        """
        with opened(root) as repo:  # once: reading a large repository is most of what it costs
            pipeline = Pipeline.of(root, repo)
            graph = pipeline.chosen(selection)
            stale = _stale_in(repo, graph) if graph else {}
            spoilt = {stage for stage, why in stale.items() if any(reason.startswith("outs ") for reason in why)}
            damage.distrust(stage for stage in repo.index.stages if address_of(stage) in spoilt)
        return cls(pipeline, graph, in_order(graph, list(stale)))


def look_at(root: Path, wanted: Container[str] | None = None) -> tuple[Pipeline, dict[str, list[str]]]:
    """The whole pipeline, and what of it is stale as :func:`stale_stages` says it, from one reading of the repository.

    Args:
        root: the repository's folder.
        wanted: the stages to look at, where not at all of them.

    Raises:
        Problem: DVC can not make sense of it.
    """
    with opened(root) as repo:
        pipeline = Pipeline.of(root, repo)
        return pipeline, _stale_in(repo, pipeline.graph if wanted is None else wanted)


@contextmanager
def opened(root: Path) -> Iterator[Any]:
    """Open the repository, waiting for its lock as ``dvc --wait-for-lock`` does; DVC's errors become Problems."""
    try:
        with Repo(str(root), _wait_for_lock=True) as repo:
            books.tidy(Path(repo.tmp_dir))
            books.drop_unfinished(Path(repo.stage_cache.cache_dir))
            yield repo
    except (DvcException, yaml.YAMLError) as error:
        told = "; ".join([str(error), *([str(error.__cause__)] if error.__cause__ else [])])
        mend = CUT_OFF if LOCK_IN_ERROR.search(told) else "mend the file that is named, run again"
        raise Problem(told, where=root / "dvc.yaml", mend=mend) from error


def stale_stages(root: Path, addresses: Sequence[str]) -> dict[str, list[str]]:
    """Which of these stages are not as their inputs and settings want them, and why, as ``dvc status`` says it.

    Args:
        root: the repository's folder.
        addresses: the stages to look at.

    Returns:
        stale stage -> reasons such as ``deps data/clip.mp4 modified``. A stage below a stale one may become stale when
        that has run; it is not in here before.
    """
    if not addresses:
        return {}
    with opened(root) as repo:
        return _stale_in(repo, set(addresses))


def stale_at(root: Path, addresses: Sequence[str], commit: str) -> dict[str, list[str]]:
    """Which of these stages git has at a revision with other code, settings or files than they were made of, and why.

    What git does not have, artifacts first of all, is not looked at: it does not lie at a revision.

    Args:
        root: the repository's folder.
        addresses: the stages to look at.
        commit: the revision, as git names it in full.

    Returns:
        as :func:`stale_stages`.
    """
    wanted, looked_at = set(addresses), dict[tuple[str, str | None], dict[str, Any]]()
    found: dict[str, list[str]] = {}
    with opened(root) as repo, repo.switch(commit):
        for stage in repo.index.stages:
            if address_of(stage) not in wanted:
                continue
            changes: dict[str, Any] = {}
            for needed in stage.deps:
                # nothing is remembered of hashes at a revision, and many stages read the same folder
                key = (str(needed), needed.hash_info.value)
                if isinstance(needed, ParamsDependency):
                    changes |= needed.status()
                elif needed.exists:
                    if key not in looked_at:
                        looked_at[key] = needed.status()
                    changes |= looked_at[key]
            if changes:
                found[address_of(stage)] = _reasons([{"changed deps": changes}])
    return found


def in_order(graph: nx.DiGraph[str], stale: Sequence[str]) -> list[str]:
    """The stale stages and all below them within ``graph``, in an order in which they can run."""
    affected = set(stale)
    for address in stale:
        affected |= nx.descendants(graph, address)
    return [address for address in nx.lexicographical_topological_sort(graph) if address in affected]


def _stale_in(repo: Any, wanted: Container[str]) -> dict[str, list[str]]:
    with repo.lock:
        # What Repo.status() does, but that takes its targets relative to the working directory.
        stages = {address_of(stage): stage for stage in repo.index.stages if address_of(stage) in wanted}
        status = {address: _status(stage) for address, stage in stages.items()}
    return {address: reasons for address, reasons in status.items() if reasons}


def address_of(stage: Any) -> str:
    """The stage as ``dvc repro`` takes it in the repository's folder; DVC's own depends on the working directory."""
    file = str(stage.path_in_repo)
    name: str | None = getattr(stage, "name", None)
    if name is None:
        return file
    return name if file == "dvc.yaml" else f"{file}:{name}"


def _definitions(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    content = yaml.load(file.read_text(), Loader=yaml.CSafeLoader) or {}
    yield from (content.get("stages") or {}).items()


def _status(stage: Any) -> list[str]:
    try:
        return [reason for changes in stage.status(check_updates=False).values() for reason in _reasons(changes)]
    except LockError:
        return [BUSY]


def _reasons(changes: Sequence[Any]) -> list[str]:
    reasons: list[str] = []
    for change in changes:
        if not isinstance(change, dict):
            reasons.append(str(change))
            continue
        for kind, what in change.items():
            for path, state in what.items():
                states = state.items() if isinstance(state, dict) else [(None, state)]
                for key, value in states:
                    name = path if key is None else f"{path}: {key}"
                    reasons.append(f"{kind.removeprefix('changed ')} {name} {value}")
    return reasons
