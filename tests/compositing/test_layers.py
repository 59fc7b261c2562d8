"""A layered delivery gives the finished frames again, to someone who has the clip, the README and nothing of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from stages import journal
from stages.artifacts.alignments import Alignments
from stages.artifacts.files import sha256_of
from stages.artifacts.frames import Frames
from stages.artifacts.looked_at import LookedAt, place_of
from stages.compositing.commands import commands
from stages.compositing.inputs import Inputs
from stages.compositing.layers import deliver, write_layers
from stages.compositing.settings import BlendSettings, CompositingSettings
from stages.compositing.stage import composite, run
from stages.credentials import provenance
from stages.credentials.manifest import LINEAGE
from stages.credentials.provenance import LIST
from stages.disclosure import DISCLOSURE
from stages.novelty import cells_of
from stages.nudity import squeezed
from stages.problems import Problem
from stages.screening.settings import ScreeningSettings
from stages.settings import load_params
from stages.verify.findings import Status, look
from stages.verify.telling import as_document, as_text
from tests.models import NETWORK, put_model

Values = NDArray[np.float64]
ABOUT = {"swap": "ada-on-ben", "source": "ada", "target": "ben", "consent": {"source": "a", "target": "b"}}


def delivered(scene: Any, folder: Path, settings: CompositingSettings | None = None) -> Frames:
    """The finished frames of a scene, ``folder/done``, and their layers, ``folder/layers``."""
    settings = settings or CompositingSettings()
    for part in ("done", "layers"):
        (folder / part).mkdir(parents=True)
    composite(scene.frames, scene.alignments, scene.converted, folder / "done", settings)
    finished = Frames.read(folder / "done")
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    write_layers(inputs, finished, folder / "layers", settings, ABOUT)
    return finished


def read_exr(path: Path) -> NDArray[np.float32]:
    """(h, w, 3) float32 RGB."""
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
    assert picture.format.name == "gbrpf32le"
    rows = [np.frombuffer(memoryview(plane), np.float32).reshape(plane.height, -1) for plane in picture.planes]
    return np.stack([rows[place][:, : picture.width] for place in (2, 0, 1)], axis=-1)


def samples_of(planes: list[NDArray[Any]], facts: dict[str, Any]) -> list[NDArray[Any]]:
    """A frame's channels in the order of layers.json."""
    if facts["pixel_format"] == "bgr0":
        return [planes[0][:, "BGR".index(channel["name"]) :: 4] for channel in facts["channels"]]
    if facts["pixel_format"].startswith("gbr"):
        return [planes["GBR".index(channel["name"])] for channel in facts["channels"]]
    return planes


def to_rgb(samples: list[NDArray[Any]], facts: dict[str, Any]) -> Values:
    """A frame as README.md says, (h, w, 3) float64 RGB."""
    channels, height, width = facts["channels"], facts["height"], facts["width"]
    codes = np.stack(
        [
            plane.astype(np.float64).repeat(each["down"], 0).repeat(each["across"], 1)[:height, :width] - each["offset"]
            for plane, each in zip(samples, channels, strict=True)
        ],
        axis=-1,
    )
    if len(channels) == 1:
        return (codes / sum(channels[0]["weights"])).repeat(3, axis=2)
    return codes @ np.linalg.inv([each["weights"] for each in channels]).T


def from_rgb(rgb: Values, facts: dict[str, Any]) -> list[Values]:
    """RGB as README.md says in the channels of a frame, whole code values."""
    result = []
    for each in facts["channels"]:
        codes = rgb @ np.array(each["weights"]) + each["offset"]
        down, across = each["down"], each["across"]
        codes = np.pad(codes, ((0, -codes.shape[0] % down), (0, -codes.shape[1] % across)), mode="edge")
        size = (codes.shape[1] // across, codes.shape[0] // down)
        codes = cv2.resize(codes, size, interpolation=cv2.INTER_AREA)
        result.append(np.clip(np.rint(codes), 0, each["largest"]))
    return result


def compare(frames: Frames, finished: Frames, folder: Path) -> tuple[float, int]:
    """Rebuild all frames; returns the greatest difference in code values, and how many frames have a face.

    Where the matte is 0, the rebuilt frame must be the clip's and the finished one.
    """
    facts = json.loads((folder / "layers.json").read_text())
    told = json.loads((folder / "frames.json").read_text())["frames"]
    worst, faces = 0.0, 0
    for entry, before, after in zip(told, frames, finished, strict=True):
        wanted, target = (samples_of(frame.planes(), facts) for frame in (after, before))
        clip = to_rgb(target, facts)
        rebuilt, matte = clip, np.zeros(clip.shape[:2], np.uint16)
        if entry["face"] is not None:
            faces += 1
            face = read_exr(folder / entry["face"])
            matte = cv2.imread(str(folder / entry["matte"]), cv2.IMREAD_UNCHANGED)
            assert (face.shape, matte.shape, matte.dtype) == (clip.shape, clip.shape[:2], np.uint16)
            assert (face[matte == 0] == 0).all()
            rebuilt = clip + matte[..., None] / 65535 * (face - clip)
        for each, done, was, told_of in zip(from_rgb(rebuilt, facts), wanted, target, facts["channels"], strict=True):
            worst = max(worst, float(np.abs(each - done).max()))
            outside = matte[:: told_of["down"], :: told_of["across"]] == 0
            assert (each[outside] == done[outside]).all()
            assert (done[outside] == was[outside]).all()
    return worst, faces


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuv422p", "yuv420p10le", "yuv444p12le", "gbrp10le", "gray", "bgr0", "yuv444p16le"]
)
def test_layers_over_the_clip_are_the_finished_frames(
    make_scene: Callable[..., Any], tmp_path: Path, pixel_format: str
) -> None:
    scene = make_scene(pixel_format=pixel_format, frames=3, without=(1,))
    finished = delivered(scene, tmp_path / "out")
    worst, faces = compare(scene.frames, finished, tmp_path / "out/layers")
    assert worst <= 1.0
    assert faces == 2


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
def test_so_they_are_of_samples_that_are_no_colours_of_rgb(
    make_scene: Callable[..., Any], tmp_path: Path, pixel_format: str
) -> None:
    scene = make_scene(pixel_format=pixel_format, frames=2, wild=True)
    finished = delivered(scene, tmp_path / "out")
    face = read_exr(tmp_path / "out/layers/face/000000.exr")
    assert face.min() < 0.0
    assert face.max() > 1.0
    assert compare(scene.frames, finished, tmp_path / "out/layers") == (pytest.approx(0, abs=1), 2)


@pytest.mark.parametrize(
    "blend",
    [
        BlendSettings(method="alpha", opacity=0.4),
        BlendSettings(opacity=0.2, bands=2),
        BlendSettings(method="gradient"),
        BlendSettings(method="gradient", opacity=0.3),
    ],
)
@pytest.mark.parametrize(("width", "height"), [(71, 63), (160, 120)])
def test_so_they_are_whatever_the_blend_and_size(
    make_scene: Callable[..., Any], tmp_path: Path, blend: BlendSettings, width: int, height: int
) -> None:
    scene = make_scene(frames=1, width=width, height=height)
    finished = delivered(scene, tmp_path / "out", CompositingSettings(blend=blend))
    assert compare(scene.frames, finished, tmp_path / "out/layers") == (pytest.approx(0, abs=1), 1)


@pytest.mark.parametrize("method", ["multi-band", "gradient"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le"])
def test_so_they_are_with_grain(
    make_scene: Callable[..., Any], tmp_path: Path, pixel_format: str, method: Literal["multi-band", "gradient"]
) -> None:
    scene = make_scene(pixel_format=pixel_format, frames=2)
    settings = CompositingSettings(blend=BlendSettings(method=method), grain=1.0)
    finished = delivered(scene, tmp_path / "grainy", settings)
    smooth = delivered(scene, tmp_path / "smooth", settings.model_copy(update={"grain": 0.0}))
    assert compare(scene.frames, finished, tmp_path / "grainy/layers") == (pytest.approx(0, abs=1), 2)
    assert any((one.rgb() != other.rgb()).any() for one, other in zip(finished, smooth, strict=True))


def test_so_they_are_of_two_faces_that_overlap(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=2)
    aligned, index = scene.alignments.whole(), scene.converted.index
    moved = aligned.assign(face=1, track=1)
    moved["transform"] = [six - [0, 0, 0.3, 0, 0, 0.2] for six in aligned["transform"]]
    moved["landmarks"] = [(xyz.reshape(-1, 3) + np.array([19.2, 12.8, 0])).ravel() for xyz in aligned["landmarks"]]
    order = ["frame", "face"]
    both = replace(
        scene,
        alignments=Alignments.of(pd.concat([aligned, moved]).sort_values(order, ignore_index=True), {}),
        converted=replace(
            scene.converted, index=pd.concat([index, index.assign(face=1)]).sort_values(order, ignore_index=True)
        ),
    )
    finished = delivered(both, tmp_path / "out")
    assert compare(scene.frames, finished, tmp_path / "out/layers") == (pytest.approx(0, abs=1), 2)
    told = json.loads((tmp_path / "out/layers/frames.json").read_text())["frames"]
    assert [face["track"] for face in told[0]["faces"]] == [0, 1]


def test_the_face_looks_like_the_face_where_it_is_opaque(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    settings = CompositingSettings(blend=BlendSettings(method="alpha"), sharpness=0.0)
    settings = settings.model_copy(update={"colour": settings.colour.model_copy(update={"method": "none"})})
    delivered(make_scene(frames=1), tmp_path / "out", settings)
    face = read_exr(tmp_path / "out/layers/face/000000.exr")
    matte = cv2.imread(str(tmp_path / "out/layers/matte/000000.png"), cv2.IMREAD_UNCHANGED)
    assert matte.max() == 65535
    np.testing.assert_allclose(face[matte == 65535].mean(axis=0) * 255, (200, 60, 40), atol=3)


def test_each_frame_tells_its_time_and_where_its_face_lies(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=3, without=(1,), times=lambda number: number * number + 5)
    delivered(scene, tmp_path / "out")
    first, second, third = json.loads((tmp_path / "out/layers/frames.json").read_text())["frames"]
    assert (first["pts"], first["seconds"], third["seconds"]) == (5, "1/5", "9/25")
    assert (second["face"], second["matte"], second["faces"]) == (None, None, [])
    (face,) = third["faces"]
    np.testing.assert_allclose(face["crop_to_frame"], [[64, 0, 32], [0, 64, 25]])
    assert sorted(path.name for path in (tmp_path / "out/layers/face").iterdir()) == ["000000.exr", "000002.exr"]


def test_conventions_and_disclosure_go_along(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    delivered(make_scene(frames=1), tmp_path / "out")
    readme = (tmp_path / "out/layers/README.md").read_text()
    assert DISCLOSURE in readme
    assert "straight" in readme
    assert "1 of 1 frames have a face here" in readme
    assert (tmp_path / "out/layers/disclosure.txt").read_text() == f"{DISCLOSURE}\n"


def test_finished_frames_of_other_settings_are_refused(make_scene: Callable[..., Any], tmp_path: Path) -> None:
    scene = make_scene(frames=2)
    finished = delivered(scene, tmp_path / "out")
    (tmp_path / "other").mkdir()
    inputs = Inputs.of(scene.frames, scene.alignments, scene.converted)
    with pytest.raises(Problem, match="frame 0 is not what the settings"):
        write_layers(inputs, finished, tmp_path / "other", CompositingSettings(grain=0.0), ABOUT)


@pytest.fixture
def ready(workplace: Path, make_pipeline: Callable[..., Any]) -> Path:
    """A project in which all is done but the layers of ada-on-ben."""
    make_pipeline(frames=3, without=(1,), said={"source": "take.mov", "source_sha256": "5" * 64})
    put_model(Path("data/conversion/ada-on-ben"))
    run("ada-on-ben", load_params())
    return workplace


def test_a_folder_of_something_else_is_left_alone(ready: Path) -> None:
    params = load_params()
    (ready / "mine").mkdir()
    (ready / "mine/notes.txt").write_text("keep")
    with pytest.raises(Problem, match="something else is there"):
        deliver("ada-on-ben", params, ready / "mine")
    assert (ready / "mine/notes.txt").read_text() == "keep"
    for _ in range(2):  # a delivery may be made again in its place
        deliver("ada-on-ben", params, ready / "new")
    assert (ready / "new/face/000002.exr").is_file()


def test_a_layered_delivery_is_signed_listed_looked_at_and_logged(ready: Path) -> None:
    deliver("ada-on-ben", load_params(), Path("out"))
    files = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*") if path.is_file())
    listed = [line.split("  ") for line in Path("out", LIST).read_text().splitlines()]
    assert [name for _, name in listed] == [name for name in files if not name.startswith("pictures.")]
    assert all(sha256_of(Path("out", name)) == digest for digest, name in listed)
    facts = json.loads(Path("out/layers.json").read_text())
    assert facts["screening"]["looked_at"] + facts["screening"]["alike"] == 2, "the first frame and the last are due"
    found = look(Path("out"), b"", Path("data/registry"))
    assert found.status is Status.UNPROVEN, "valid, by the development certificate"
    assert found.credential is not None
    assert (found.credential.assertion(LINEAGE) or {})["root"] == facts["lineage"]
    events = [json.loads(line) for line in Path("data/audit/log.jsonl").read_text().splitlines()]
    [delivery] = [each for each in events if each["event"] == "delivery"]
    assert (delivery["layers"], delivery["sha256"]) == ("out", sha256_of(Path("out", LIST)))


def test_layers_are_held_against_what_was_looked_at_of_the_clip(ready: Path) -> None:
    """As it came in decent, its last frame passes; as it was in doubt, that one is looked at."""
    params, finished = load_params(), list(Frames.read(Path("data/compositing/ada-on-ben")))
    cells = [cells_of(squeezed(frame)) for frame in finished]
    for score, looked_at in ((0.1, 1), (0.41, 2)):
        came_in = LookedAt.of([frame.number for frame in finished], [score] * len(finished), cells)
        came_in.write(place_of(params.swap("ada-on-ben").clip))
        deliver("ada-on-ben", params, Path("out"))
        assert json.loads(Path("out/layers.json").read_text())["screening"]["looked_at"] == looked_at


def test_the_disclosure_of_a_delivery_names_its_lineage(ready: Path) -> None:
    deliver("ada-on-ben", load_params(), Path("out"))
    first, *fields = Path("out/disclosure.txt").read_text().splitlines()
    said = dict(field.split(": ", 1) for field in fields)
    assert first == DISCLOSURE
    assert json.loads(said["AIGC"])["ProduceID"] == json.loads(Path("out/layers.json").read_text())["lineage"]


def test_layers_that_nobody_signed_do_not_say_that_they_are(ready: Path) -> None:
    params = load_params()
    credential = params.encoding.credential.model_copy(update={"sign": False})
    encoding = params.encoding.model_copy(update={"credential": credential})
    for out, asked in (("signed", params), ("bare", params.model_copy(update={"encoding": encoding}))):
        deliver("ada-on-ben", asked, Path(out))
    signed, bare = (Path(out, "README.md").read_text() for out in ("signed", "bare"))
    assert "The folder is signed as a whole" in signed
    assert "| `pictures.sha256`, `pictures.c2pa` | all files by their hashes, and the signed" in signed
    assert "The folder is **not signed**" in bare
    assert "signed as a whole" not in bare
    assert "c2pa`" not in bare
    assert "| `pictures.sha256` | all files by their hashes |\n\nFiles are numbered" in bare
    assert not Path("bare/pictures.c2pa").exists()


def test_a_delivery_goes_into_no_other_one_which_a_purge_may_remove(ready: Path) -> None:
    deliver("ada-on-ben", load_params(), Path("out"))
    before = sorted(Path("out").rglob("*"))
    with pytest.raises(Problem, match="lies in a layered delivery"):
        deliver("ada-on-ben", load_params(), Path("out/face/two"))
    assert sorted(Path("out").rglob("*")) == before


def test_verify_tells_that_they_are_layers_and_from_whose_consent(ready: Path) -> None:
    deliver("ada-on-ben", load_params(), Path("out"))
    told = as_document(look(Path("out"), b"", Path("data/registry")))
    assert (told["conclusion"], told["credential"]["delivery"]) == ("unproven", "layers")
    assert [each["record_id"] for each in told["credential"]["consent"]] == ["ada-1", "ben-1"]
    said = as_text(look(Path("out"), b"", Path("data/registry")))
    assert "delivery: layers to lay over the clip" in said
    assert "layers carry none: it belongs in the composite" in said


TAMPERED: dict[str, Callable[[Path], object]] = {
    "mismatch": lambda folder: (folder / "matte/000002.png").write_bytes(b"another"),
    "unknown": lambda folder: (folder / "face/000001.exr").write_bytes(b"more"),
    "missing": lambda folder: (folder / "face/000000.exr").unlink(),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_an_altered_an_added_and_a_missing_layer_are_found(ready: Path, what: str) -> None:
    deliver("ada-on-ben", load_params(), Path("out"))
    TAMPERED[what](Path("out"))
    found = look(Path("out"), b"", Path("data/registry"), None)
    assert found.status is Status.INVALID
    assert found.credential is not None
    assert [code for code, _ in found.credential.failures] == [f"likeness.picture.{what}"]


def test_a_folder_that_was_hung_into_a_delivery_is_found(ready: Path) -> None:
    deliver("ada-on-ben", load_params(), Path("out"))
    Path("elsewhere").mkdir()
    Path("out/more").symlink_to(Path("elsewhere").absolute(), target_is_directory=True)
    assert look(Path("out"), b"", Path("data/registry"), None).status is Status.INVALID


def test_layers_that_show_nudity_are_not_delivered(ready: Path) -> None:
    """With a threshold that every picture reaches, since there are no others to test with."""
    params = load_params()
    strict = params.model_copy(update={"screening": ScreeningSettings(threshold=1e-9)})
    with pytest.raises(Problem, match=r"frame 0, at 0\.000 s, shows nudity"):
        deliver("ada-on-ben", strict, Path("out"))
    assert not Path("out").exists()
    assert "delivery" not in Path("data/audit/log.jsonl").read_text()


def test_layers_that_can_not_be_signed_are_not_delivered(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "read_credential", lambda asset: None)
    with pytest.raises(Problem, match="does not hold when read back"):
        deliver("ada-on-ben", load_params(), Path("out"))
    assert not Path("out").exists()
    assert "delivery" not in Path("data/audit/log.jsonl").read_text()


def test_layers_of_another_model_than_the_one_that_lies_there_are_not_delivered(ready: Path) -> None:
    NETWORK.write_bytes(b"a network that was trained since")
    with pytest.raises(Problem, match="network_sha256: the swap was made by another network") as refused:
        deliver("ada-on-ben", load_params(), Path("out"))
    assert refused.value.where == "data/conversion/ada-on-ben/facts.json"
    assert refused.value.mend == "reproduce the conversion and what is made of it: dvc repro compositing@ada-on-ben"
    assert not Path("out").exists()
    assert "delivery" not in Path("data/audit/log.jsonl").read_text()


def test_layers_made_again_are_the_same_to_the_byte(ready: Path) -> None:
    made = []
    for _ in range(2):
        deliver("ada-on-ben", load_params(), Path("out"))
        made.append({path: path.read_bytes() for path in sorted(Path("out").rglob("*")) if path.is_file()})
    assert made[0] == made[1]


def test_the_command_leaves_its_run_in_the_journal(ready: Path) -> None:
    assert CliRunner().invoke(commands, ["layers", "ada-on-ben", "--out", "out"]).exit_code == 0
    assert [(each.stage, each.went_well) for each in journal.runs()] == [("layers@ada-on-ben", True)]
