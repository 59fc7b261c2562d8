"""Reads performers and performances from params.yaml; writes the rendered clip with its exact truth."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from stages.artifacts.files import write_facts
from stages.artifacts.truth import Truth
from stages.atomic import whole_folder
from stages.problems import Problem, nearest
from stages.progress import progress
from stages.rendering.background import backdrop
from stages.rendering.camera import Camera
from stages.rendering.film import Lossless, filming
from stages.rendering.head import HEAD_FILE, HeadBasis
from stages.rendering.identity import Identity
from stages.rendering.light import Light
from stages.rendering.mesh import COVERS, Part
from stages.rendering.occluders.covering import Covering
from stages.rendering.performance import perform, pose_at
from stages.rendering.render import Performer, Picture
from stages.rendering.scene import PerformanceSettings, read_performance, read_performer
from stages.rendering.sound import FEMALE, MALE, speak
from stages.settings import Params

WORKERS = 2  # frames rendered at once; the result does not depend on it
DEPTH_UNIT = 200.0  # depth.mkv counts 1/200 cm


def place(name: str, params: Params) -> Path:
    """Where the clip of a performance, or the truth of a swap, lies."""
    return Path("data/truth" if name in params.truths else "data/performances") / name


def run(name: str, params: Params) -> None:
    """Render a performance, or the right answer of a swap: the source's identity in the target's performance.

    Raises:
        Problem: there is no such performance or truth, or its settings are wrong.
    """
    if (name in params.performances) == (name in params.truths):
        known = [*params.performances, *params.truths]
        what = "a performance and a truth are both called so" if name in params.truths else "there is no such name"
        raise Problem(what, where=f"params.yaml, performances and truths, {name}", mend=nearest(name, known))
    shown = name
    performer = None
    if name in params.truths:
        shown, performer = params.truths[name].performance, params.truths[name].performer
    settings = read_performance(shown, params.performances[shown])
    player = _performer(settings.performer, shown, params)
    who = player if performer is None else _performer(performer, name, params)
    with whole_folder(place(name, params)) as folder:
        write(folder, who, settings, player=player, what=f"rendering {name}")


def _performer(name: str, wanted_by: str, params: Params) -> Identity:
    if name not in params.performers:
        where = f"params.yaml, performances.{wanted_by}.performer"
        raise Problem(f"there is no performer '{name}'", where=where, mend=nearest(name, list(params.performers)))
    return read_performer(name, params.performers[name])


def write(folder: Path, identity: Identity, settings: PerformanceSettings, *, player: Identity, what: str) -> None:
    """Render `identity` in a performance into the files of a truth (see docs/architecture.md).

    Args:
        folder: an existing empty folder.
        identity: whose face is seen.
        settings: the performance.
        player: whose voice is heard, and whose glasses, hands and fringe are seen, whoever's face it is.
        what: the work in a few words, for the bar.
    """
    track = perform(settings.seed, settings.frames, settings.rate, settings.played())
    size = settings.width, settings.height, settings.rate
    pitch = settings.pitch_hz or FEMALE + (MALE - FEMALE) * player.masculinity
    sound = speak(track, settings.rate, pitch, settings.seed)
    points = []
    with ExitStack() as open_files:
        film = open_files.enter_context(filming(folder / "clip.mp4", sound, *size, settings.crf))
        parts = open_files.enter_context(Lossless(folder / "parts.mkv", *size))
        far = open_files.enter_context(Lossless(folder / "depth.mkv", *size, 16)) if settings.depth else None
        for picture in progress(render(identity, settings, track, player), total=settings.frames, what=what):
            film.add(picture.rgb)
            parts.add(picture.parts)
            if far is not None:
                far.add(np.clip(np.rint(picture.depth * DEPTH_UNIT), 0, 65535).astype(np.uint16))
            points.append(picture.landmarks.ravel())
    table = track.assign(frame=np.arange(len(track), dtype=np.int32), landmarks=pd.Series(points))
    Truth.write_table(folder, table)
    write_facts(
        folder / "facts.json",
        {
            "frames": settings.frames,
            "parts": {str(p.value): p.name.lower() for p in Part if settings.occluders or p not in COVERS},
            "identity": identity.model_dump(),
            "performance": settings.told(),
            "depth_unit_cm": 1.0 / DEPTH_UNIT if settings.depth else None,
        },
    )


def render(
    identity: Identity, settings: PerformanceSettings, track: pd.DataFrame, player: Identity | None = None
) -> Iterator[Picture]:
    """The frames of a performance in order, one at a time.

    Args:
        identity: whose face is seen.
        settings: the performance.
        track: its motion.
        player: on whose head glasses sit and whose hands come; `identity` if None. A swap keeps what is before the
            target's face, so they are the target's in the truth of a swap, too.
    """
    basis = HeadBasis.load(HEAD_FILE)
    performer = Performer(identity, basis)
    covering = None
    if settings.occluders:
        head = performer.head if player in (None, identity) else basis.build(player)
        covering = Covering.of(settings.before(), player or identity, head, settings.frames / settings.rate)
    light = Light.from_seed(settings.seed if settings.light is None else settings.light)
    wall = settings.seed if settings.backdrop is None else settings.backdrop
    behind = backdrop(wall, settings.height, settings.width)
    sensor = settings.seen()

    def frame(number: int) -> Picture:
        wander = settings.handheld * settings.height / 1000.0
        shift = (track[["camera_x", "camera_y"]].to_numpy(np.float64)[number] * wander).tolist()
        camera = Camera(settings.width, settings.height, settings.focal * settings.height, (shift[0], shift[1]))
        noise = np.random.Generator(np.random.PCG64([settings.seed, number]))
        pose, seconds = pose_at(track, number), number / settings.rate
        return performer.render(pose, camera, light, behind, sensor, noise, covering, seconds)

    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: list[Future[Picture]] = []
        for number in range(len(track)):
            waiting.append(pool.submit(frame, number))
            if len(waiting) > WORKERS:
                yield waiting.pop(0).result()
        for rest in waiting:
            yield rest.result()
