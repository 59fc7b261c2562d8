"""Makes a result again in an empty clone, from nothing but what ``likeness lineage PATH --json`` says of it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.lineage.inputs import Tell, dvc, fetch, require_consents, require_inputs
from flows.lineage.rebuild import Rebuild
from flows.lineage.records import Records
from flows.lineage.told import Told
from flows.lineage.trace import md5_of
from stages.problems import Problem


@dataclass(frozen=True)
class Rebuilt:
    """How a result came out in the clone.

    Attributes:
        path: of the result, from the project's folder.
        expected: its hash as told.
        made: its hash as it came out.
        differ: the stages that made something else than was told, in the order in which they ran.
    """

    path: str
    expected: str
    made: str
    differ: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether the result has the hash that was told."""
        return self.expected == self.made


def rebuild_in(told: Told, place: Path, footage: Sequence[Path], origin: str | None, tell: Tell) -> Rebuilt:
    """Clone, bring the inputs, check them and the consents, run ``dvc repro`` and compare.

    Args:
        told: the document.
        place: the folder to clone into; there must be none, or an empty one.
        footage: folders to search for inputs that neither git nor DVC has; they are known by their hash.
        origin: where to clone from, instead of the addresses that the document tells.
        tell: gets a line about each step, and all that DVC says.

    Raises:
        Problem: the place is taken; an input can not be had, or is another one; a consent does not hold today; a stage
            failed. Whatever is found before the first stage runs leaves nothing behind.
    """
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise Problem("there is something already", where=place, mend="name a folder that is not there yet")
    try:
        project = _cloned(told.rebuild, place, origin, tell)
        require_consents(told.rebuild.stages[-1], project)
        fetch(told.rebuild, project, footage, tell)
        require_inputs(told.rebuild, project)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    target = told.rebuild.stages[-1]
    tell(f"dvc repro {target}")
    dvc(project, "repro", target, tell=tell)
    return _compared(told, project)


def _cloned(rebuild: Rebuild, place: Path, origin: str | None, tell: Tell) -> Path:
    addresses = [origin] if origin is not None else list(rebuild.repository)
    if not addresses:
        raise Problem(
            "the document knows no address of the repository: it was never pushed",
            where="repository",
            mend="say where it lies: --from FOLDER_OR_ADDRESS",
        )
    said = ""
    for address in addresses:
        tell(f"git clone {address}, at {rebuild.revision:.10}")
        said = _git("clone", "--quiet", "--no-checkout", "--", address, str(place))
        if not said:
            break
    if said:
        raise Problem(
            f"git can not clone it: {said}", where=addresses[-1], mend="say where else it lies: --from ADDRESS"
        )
    said = _git("-C", str(place), "checkout", "--quiet", "--detach", str(rebuild.revision))
    if said:
        raise Problem(
            f"it does not have the revision {rebuild.revision}: {said}",
            where=addresses[-1],
            mend="push it there, or say where else it lies: --from ADDRESS",
        )
    return place.absolute() / rebuild.folder


def _git(*arguments: str) -> str:
    """Run git; what it says where it fails, else nothing."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit status {done.returncode}")


def _compared(told: Told, project: Path) -> Rebuilt:
    steps = Records.read(project).steps
    differ = tuple(
        step.stage
        for step in reversed(told.steps)
        if {out.path: out.md5 for out in step.outputs} != {out.path: out.md5 for out in steps[step.stage].outputs}
    )
    place = project / told.path
    if told.md5 is not None and place.is_file():
        return Rebuilt(told.path, told.md5, md5_of(place), differ)
    wanted = next(out for out in told.rebuild.expect if out.path == told.path or told.path.startswith(f"{out.path}/"))
    made = Records.read(project).output(told.path)
    return Rebuilt(wanted.path, wanted.md5, made.md5, differ)
