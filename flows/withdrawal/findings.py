"""What of a person lies where, and what has to stay because other people's results share it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.withdrawal.footage import Footage
from flows.withdrawal.handed import Handed
from flows.withdrawal.kinship import Kinship, hashes_of
from flows.withdrawal.places import files_in, outermost, places_of
from flows.withdrawal.recorded import Recorded, pipeline_steps, tracked
from flows.withdrawal.stores import FOLDER, Store, Stores
from flows.withdrawal.tombstones import Tombstone
from stages.settings import Params


@dataclass(frozen=True)
class Findings:
    """All of it.

    Attributes:
        objects: (store, hash of each object of the person that lies there).
        runs: (store, name -> path of each entry of its run cache).
        places: files and folders that are removed, from the repository's folder, in the working tree but for footage
            and ``halves``.
        halves: of the places, deliveries of layers to elsewhere that were cut off, by their absolute paths.
        stages: hash of an object or name of an entry -> the stage that made it.
        shared: objects of the person that stay, since others' results have the same bytes.
        tracked: files among the places that git keeps, so that their history stays.
        footage: what was handed over; among the rest only where it was asked for.
        elsewhere: where layers of the person were written outside of the project.
        unreached: places that could not be looked into -> why.
        unknown: how many objects of the machine's cache nothing tells of: whose they are, nobody can say.
    """

    objects: list[tuple[Store, list[str]]]
    runs: list[tuple[Store, dict[str, str]]]
    places: list[Path]
    halves: list[Path]
    stages: dict[str, str]
    shared: set[str]
    tracked: list[str]
    footage: Footage
    elsewhere: list[str]
    unreached: dict[str, str]
    unknown: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return not (self.places or any(oids for _, oids in self.objects) or any(runs for _, runs in self.runs))

    @property
    def by_stage(self) -> Counter[str]:
        """How many objects there are of each stage's, copies in several places counted once."""
        return Counter(self.stages.get(oid, "") for oid in {oid for _, oids in self.objects for oid in oids})


def look(
    root: Path, repo: Any, identity: str, params: Params, known: Iterable[Tombstone], *, with_footage: bool = False
) -> Findings:
    """Find all that came from a person.

    The number of steps it takes grows with the number of steps, objects and files that there are.

    Args:
        root: the repository's folder.
        repo: the repository, opened and locked.
        identity: whose.
        params: as they are now.
        known: tombstones of this person's: what they name is looked for, too, even if DVC has lost its lists of it.
        with_footage: whether what was handed over is to be found, not only what was made of it.
    """
    stores = Stores.of(repo)
    runs = [(store, store.runs()) for store in stores.reached]
    recorded = Recorded.gather(root, pipeline_steps(repo, root, params), _contents(runs))
    kinship = Kinship.of(identity, recorded, stores.hash_of_folder)
    footage = Footage.of(identity, recorded, params, root)
    stages = _expanded(hashes_of(kinship.own), stores)
    stones = list(known)
    stages |= {stone.hash: stone.stage for stone in stones if stone.kind == "object" and stone.hash not in stages}
    kept = set(_expanded(hashes_of(kinship.others), stores))
    if with_footage:
        mine = _expanded(footage.hashes, stores)
        stages |= mine
        kept = kept - set(mine) | set(_expanded(footage.others, stores))
    wanted = set(stages) - kept
    own_runs = {name for name, step in recorded.runs.items() if kinship.has(step)}
    present = [step for step in recorded.present if not kinship.has(step)]
    handed = Handed.of(identity, root)
    places = outermost([*places_of(root, kinship.own, present), *handed.inside, *handed.halves])
    if with_footage:
        places += [path for path in footage.removable if path not in places]
    objects = [(store, sorted(store.present(wanted))) for store in stores.reached]
    lying = {store.name: store.present(set(stages) & kept) for store in stores.reached}
    return Findings(
        objects,
        [(store, {name: path for name, path in paths.items() if name in own_runs}) for store, paths in runs],
        places,
        handed.halves,
        stages | {name: recorded.runs[name].stage.partition("@")[0] for name in own_runs},
        set().union(*lying.values()),
        tracked(root, [str(path) for path in places if path not in handed.halves]),
        footage,
        handed.outside,
        stores.unreached,
        len(stores.reached[0].everything() - set(stages) - kept) if stores.reached else 0,
    )


def md5_of_place(root: Path, place: Path) -> list[str]:
    """MD5 of each file of a place, as DVC has it; links count by what they lead to."""
    found = []
    for file in files_in(root / place):
        if file.is_file():
            with file.open("rb") as stream:
                found.append(hashlib.file_digest(stream, "md5").hexdigest())
    return found


def _contents(runs: list[tuple[Store, dict[str, str]]]) -> dict[str, bytes]:
    """Entries of all run caches by name. The name is a hash of the entry, so each is read once."""
    read: dict[str, bytes] = {}
    for store, paths in runs:
        new = [name for name in paths if name not in read]
        read |= dict(zip(new, store.read_runs([paths[name] for name in new]), strict=True))
    return read


def _expanded(hashes: dict[str, str], stores: Stores) -> dict[str, str]:
    """The same with the files of folders."""
    files = {
        oid: stage for folder, stage in hashes.items() if folder.endswith(FOLDER) for oid in stores.listing(folder)
    }
    return files | hashes
