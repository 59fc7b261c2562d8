"""What dvc.lock says about every step that was made: its command, settings, inputs and outputs with their hashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import networkx as nx
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from flows.lineage.snapshot import Snapshot
from stages.problems import Problem, nearest

LOCK = "dvc.lock"

NEAR = 5
"""How many known outputs are named when a path is unknown."""


@dataclass(frozen=True)
class Artifact:
    """A file or folder as a step read or wrote it.

    Attributes:
        path: from the repository's folder.
        md5: DVC's hash; of a folder, it ends in ``.dir`` and is that of the list of its files.
        size: bytes.
        files: number of files in a folder, None for a file.
    """

    path: str
    md5: str
    size: int
    files: int | None = None


@dataclass(frozen=True)
class Step:
    """One stage as it was last made.

    Attributes:
        stage: its address, ``training@ada-ben``.
        command: what was run.
        settings: parameters file -> key -> the value it had.
        inputs: what it read, code and consent records included.
        outputs: what it wrote.
    """

    stage: str
    command: str
    settings: dict[str, dict[str, Any]]
    inputs: tuple[Artifact, ...]
    outputs: tuple[Artifact, ...]

    def setting(self, section: str) -> tuple[str, dict[str, Any]] | None:
        """(name, value) of the item of a section of params.yaml that it depends on, say its swap; None without one."""
        for values in self.settings.values():
            for key, value in values.items():
                first, _, name = key.partition(".")
                if first == section and name and isinstance(value, dict):
                    return name, value
        return None


@dataclass(frozen=True)
class Records:
    """All steps that were made, by address."""

    steps: dict[str, Step]

    @classmethod
    def read(cls, root: Path) -> Records:
        """Read ``dvc.lock``.

        Raises:
            Problem: it is not there, or damaged.
        """
        return cls.of(Snapshot(root))

    @classmethod
    def of(cls, snapshot: Snapshot) -> Records:
        """Read the ``dvc.lock`` of a state of the project.

        Raises:
            Problem: it is not there, or damaged.
        """
        file = snapshot.root / LOCK
        found = snapshot.read(LOCK)
        if found is None:
            when = f" at {snapshot.commit:.10}" if snapshot.commit else ""
            raise Problem(f"nothing has been made here yet{when}", where=file, mend="run `dvc repro` first")
        try:
            return cls.parse(found)
        except ValueError as error:
            raise Problem(f"it is damaged: {error}", where=file, mend="`git checkout dvc.lock`") from error

    @classmethod
    def parse(cls, content: bytes) -> Records:
        """The steps of a ``dvc.lock``, say of one that git keeps.

        Raises:
            ValueError: it is damaged.
        """
        try:
            stages = in_yaml(content)["stages"]
            return cls({name: step_of(name, entry) for name, entry in stages.items()})
        except (YAMLError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(str(error)) from error

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """An edge from each step to those that read what it wrote."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.steps)
        for step in self.steps.values():
            for artifact in step.inputs:
                graph.add_edges_from((maker, step.stage) for maker in self.makers(artifact.path))
        return graph

    def makers(self, path: str) -> list[str]:
        """The steps that wrote the path, something in it, or the folder that it is in."""
        return [
            step.stage for step in self.steps.values() if any(overlap(path, output.path) for output in step.outputs)
        ]

    def users(self, path: str) -> list[str]:
        """The steps that read the path, something in it, or the folder that it is in."""
        return [step.stage for step in self.steps.values() if any(overlap(path, item.path) for item in step.inputs)]

    def upstream(self, path: str) -> list[Step]:
        """The steps that the path came from, the last one first.

        Raises:
            Problem: no step made it.
        """
        makers = self.makers(path)
        if not makers:
            raise self._unknown(path)
        closure = set(makers).union(*(nx.ancestors(self.graph, maker) for maker in makers))
        return [self.steps[stage] for stage in _ordered(self.graph, closure)[::-1]]

    def downstream(self, path: str) -> list[Step]:
        """The steps that use the path, directly or not, in the order in which they were made.

        Raises:
            Problem: no step uses or made it.
        """
        users = self.users(path)
        if not users and not self.makers(path):
            read = sorted({item.path for step in self.steps.values() for item in step.inputs})
            raise Problem(
                "no stage that was run has read or made it",
                where=path,
                mend=f"stages name what they depend on in dvc.yaml; {nearest(path, read)}",
            )
        closure = set(users).union(*(nx.descendants(self.graph, user) for user in users))
        return [self.steps[stage] for stage in _ordered(self.graph, closure)]

    def output(self, path: str) -> Artifact:
        """The output that is the path, or that holds it.

        Raises:
            Problem: no step made it.
        """
        for step in self.steps.values():
            for output in step.outputs:
                if overlap(path, output.path):
                    return output
        raise self._unknown(path)

    def _unknown(self, path: str) -> Problem:
        outputs = sorted({output.path for step in self.steps.values() for output in step.outputs})
        if self.users(path):
            mend = "it is an input: `--what-uses` shows what was made from it"
        else:
            parent = str(PurePosixPath(path).parent)
            near = [output for output in outputs if overlap(output, parent)] if parent != "." else []
            mend = f"known here: {', '.join(near[:NEAR])}" if near else nearest(path, outputs)
        return Problem("no stage that was run has made it", where=path, mend=mend)


def in_yaml(content: bytes) -> Any:
    """What DVC wrote, as it reads it: to YAML 1.1, which PyYAML reads, a clip's start of 0:01:12.5 is a number.

    Raises:
        ruamel.yaml.error.YAMLError: it is no YAML.
    """
    reader = YAML(typ="safe")
    reader.allow_duplicate_keys = True  # of a careless merge: what a purge looks for must not be lost for that
    return reader.load(content)


def overlap(one: str, other: str) -> bool:
    """Whether two paths are the same or one lies in the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _ordered(graph: nx.DiGraph[str], stages: set[str]) -> list[str]:
    return list(nx.lexicographical_topological_sort(graph.subgraph(stages)))


def step_of(stage: str, entry: dict[str, Any]) -> Step:
    """A stage's entry of ``dvc.lock``, or of DVC's run cache, which says the same of it but its name."""
    command = entry["cmd"]
    return Step(
        stage,
        command if isinstance(command, str) else "; ".join(command),
        {file: dict(values) for file, values in (entry.get("params") or {}).items()},
        tuple(_artifacts(entry.get("deps"))),
        tuple(_artifacts(entry.get("outs"))),
    )


def _artifacts(entries: list[dict[str, Any]] | None) -> Iterator[Artifact]:
    for entry in entries or []:
        yield Artifact(entry["path"], entry.get("md5") or "", int(entry.get("size") or 0), entry.get("nfiles"))
