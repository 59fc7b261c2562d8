"""What a result is made of, in a clone: brought from where it lies, and checked before anything is made of it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from pathlib import Path, PurePosixPath
from typing import Final

from flows.children import Children
from flows.environment import find_root
from flows.lineage.rebuild import Rebuild
from flows.lineage.records import Artifact, Records
from flows.lineage.snapshot import Snapshot, git
from flows.lineage.trace import md5_of
from flows.pipeline import stale_stages
from stages.consent import FOLDER as CONSENT
from stages.consent import require_record
from stages.problems import Problem

LAST_LINES: Final = 12

Tell = Callable[[str], None]


def require_consents(stage: str, project: Path) -> None:
    """Every record must hold today: as of the revision, in all branches that came of it, and as it lies here.

    A withdrawal that came after the revision is in the later ones only. Whose records they are, the clone's own
    dvc.lock tells: a document comes from anywhere.

    Args:
        stage: that is to be run.
        project: the clone's folder.

    Raises:
        Problem: a record does not hold, or the clone knows nothing of the stage.
    """
    records = Records.read(project)
    if stage not in records.steps:
        raise Problem(
            f"the revision's dvc.lock does not know '{stage}'", where=project, mend="ask for the lineage again"
        )
    steps = [step for output in records.steps[stage].outputs for step in records.upstream(output.path)]
    read = (PurePosixPath(item.path) for step in steps for item in step.inputs)
    people = sorted({record.stem for record in read if record.is_relative_to(CONSENT) and record.suffix == ".yaml"})
    said = git(project, "branch", "--remotes", "--contains", "HEAD", "--format=%(objectname)") or b""
    with chdir(project):
        for commit in ["HEAD", *sorted(set(said.decode().split()))]:
            with Snapshot.at(project, commit).folder(CONSENT.as_posix()) as folder:
                for person in people:
                    require_record(person, folder=folder)
    try:
        here = find_root()
    except Problem:
        return
    with chdir(here):
        for person in people:
            if (CONSENT / f"{person}.yaml").is_file():
                require_record(person)


def fetch(rebuild: Rebuild, project: Path, footage: Sequence[Path], tell: Tell) -> None:
    """Bring the inputs that do not come with the clone."""
    # A cache that all projects of a user share would bring the result itself.
    dvc(project, "cache", "dir", "--local", str(project / ".dvc" / "cache"))
    pulled = [item.artifact.path for item in rebuild.needed if item.source == "dvc"]
    if pulled:
        tell(f"dvc pull {' '.join(pulled)}")
        dvc(project, "pull", "--quiet", *pulled)
    for item in rebuild.needed:
        if item.source == "elsewhere":
            found = next(_with_hash(item.artifact, footage), None)
            if found is None:
                raise Problem(
                    f"neither git nor DVC has it, and no file searched has its hash, {item.artifact.md5}",
                    where=item.artifact.path,
                    mend="name the folder that it lies in: --footage FOLDER",
                )
            tell(f"{item.artifact.path}: from {found}")
            target = project / item.artifact.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir():
                shutil.copytree(found, target)
            else:
                shutil.copy(found, target)


def require_inputs(rebuild: Rebuild, project: Path) -> None:
    """All that no stage makes must be as it was: DVC compares every file, setting and line of code with the record."""
    needed = {item.artifact.path for item in rebuild.needed}
    wrong = [
        f"{stage}: {reason}"
        for stage, reasons in stale_stages(project, rebuild.stages).items()
        for reason in reasons
        if reason.endswith((" modified", " new")) or (reason.endswith(" deleted") and reason.split()[1] in needed)
    ]
    if wrong:
        raise Problem(
            "the clone is not what the result was made of:" + "".join(f"\n  {line}" for line in wrong),
            where=project,
            mend="push what is missing, or ask for the lineage again where the result lies",
        )


def dvc(project: Path, *arguments: str, tell: Tell | None = None) -> None:
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        if tell is not None:
            tell(line)

    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    children = Children()
    try:
        status = children.run(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=project,
            env={**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", "DVC_NO_ANALYTICS": "1"},
            on_line=on_line,
        )
    finally:
        children.stop()
    if status:
        said = "\n".join(lines[-LAST_LINES:])
        raise Problem(
            f"`dvc {' '.join(arguments)}` failed:\n{said}", where=project, mend="mend what it says, run again"
        )


def _with_hash(wanted: Artifact, folders: Sequence[Path]) -> Iterator[Path]:
    """Files with the hash; folders with as many bytes in as many files, which DVC compares later."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if wanted.files is None:
                if path.is_file() and path.stat().st_size == wanted.size and md5_of(path) == wanted.md5:
                    yield path
            elif path.is_dir():
                files = [file for file in path.rglob("*") if file.is_file()]
                if len(files) == wanted.files and sum(file.stat().st_size for file in files) == wanted.size:
                    yield path
