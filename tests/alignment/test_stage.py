"""The alignment stage on a film whose movement is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from stages.alignment.chart import chart, draw
from stages.alignment.looking import Seen
from stages.alignment.settings import AlignmentSettings
from stages.alignment.sheet import drawn
from stages.alignment.stage import align, brought
from stages.alignment.steadying import LOOKED, Steadying, table_of
from stages.artifacts.alignments import Alignments
from stages.artifacts.decisions import Correction, Decisions
from stages.artifacts.frames import Frames
from stages.artifacts.visibility import ALL_SEEN, FINE, SIZE, packed, unpacked
from stages.contact_sheet import TILE
from stages.dataset.settings import FilterSettings
from stages.detection.settings import DetectionSettings
from stages.detection.stage import detect
from stages.geometry import as_matrix, beyond, compose, crop
from stages.packs import open_pack
from stages.packs.canonical import read_canonical
from stages.problems import Problem
from stages.visible_face import VisibleFace
from tests.film import collins, film, hopper, moved, placed

COUNT, CUT, HIDDEN = 14, 8, 11
SETTINGS = AlignmentSettings(device="cpu")


def place(number: int) -> np.ndarray:
    """Even movement, and another place after the cut."""
    if number < CUT:
        return moved(110 + 4 * number, 120, scale=0.8 + 0.02 * number, degrees=3 * number - 10)
    return moved(210, 110 + 2 * (number - CUT), scale=0.7, degrees=-15)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """Collins, moving, with a cut; in one frame she is hidden. Hopper is small in a corner."""
    pictures = [
        placed((hopper(), moved(50, 60, scale=0.4)), *([] if number == HIDDEN else [(collins(), place(number))]))
        for number in range(COUNT)
    ]
    return film(tmp_path_factory.mktemp("film") / "frames", pictures, shot_of=lambda number: int(number >= CUT))


@pytest.fixture(scope="module")
def faces(frames: Frames) -> pd.DataFrame:
    return detect(frames, DetectionSettings(device="cpu", minimum_face=40), (), clip="x", identity="ada").faces


@pytest.fixture(scope="module")
def alignments(frames: Frames, faces: pd.DataFrame) -> Alignments:
    return align(frames, faces, SETTINGS, clip="x")


def test_every_taken_face_is_aligned_to_the_same_crop(alignments: Alignments) -> None:
    """Portrait -> frame -> unit crop is one and the same similarity in every frame, on both sides of the cut."""
    table = alignments.whole()
    assert list(table["frame"]) == list(range(COUNT))
    assert list(table["shot"]) == [int(number >= CUT) for number in range(COUNT)]
    sure = table[table["frame"] != HIDDEN]
    chained = np.stack([compose(place(row.frame), as_matrix(row.transform)) for row in sure.itertuples()])
    corners = np.array([[60, 60, 1], [140, 60, 1], [100, 160, 1]]).T
    spread = (chained @ corners).std(axis=0)
    assert spread.max() < 0.012


def test_what_passes_before_a_face_is_measured(tmp_path: Path) -> None:
    """A thing before the mouth in two of five frames."""
    pictures = [placed((collins(), moved(110 + 2 * number, 120, scale=1.2))) for number in range(5)]
    for number in (2, 3):
        x, y = (moved(110 + 2 * number, 120, scale=1.2) @ (100, 135, 1)).astype(int)
        pictures[number][y - 22 : y + 22, x - 60 : x + 60] = (60, 90, 40)
    covered = film(tmp_path / "frames", pictures)
    found = detect(covered, DetectionSettings(device="cpu", minimum_face=40), (), clip="x", identity="ada").faces
    seen = align(covered, found, SETTINGS, clip="x").whole().set_index("frame")["visible"]
    assert set(seen.index) == set(range(5))
    bare = seen.drop([2, 3])
    assert (seen[[2, 3]] < bare.median() - FilterSettings().covered).all()
    assert (bare > bare.median() - 0.05).all()


def test_nothing_passes_before_what_is_out_of_the_picture(tmp_path: Path) -> None:
    """The lower half of the face is cut off: its crop repeats the picture's last row there."""
    pictures = [placed((collins(), moved(110 + 2 * number, 120, scale=1.2)))[:128] for number in range(3)]
    frames = film(tmp_path / "frames", [np.ascontiguousarray(picture) for picture in pictures])
    found = detect(frames, DetectionSettings(device="cpu", minimum_face=40), (), clip="x", identity="ada").faces
    table = align(frames, found, SETTINGS, clip="x").whole()
    assert len(table) == 3
    for row in table.to_dict("records"):
        outside = beyond(as_matrix(row["transform"]), FINE, pictures[0].shape[1], 128)
        assert outside.mean() > 0.15
        inner = cv2.erode(outside.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=1) > 0
        assert (unpacked(row["seen"])[inner] > 0.99).all()


@pytest.mark.parametrize(("width", "aspect"), [(240, "4/3"), (360, "8/9")])
def test_anamorphic_faces_are_seen_as_a_screen_shows_them(
    width: int, aspect: str, frames: Frames, faces: pd.DataFrame, alignments: Alignments, tmp_path: Path
) -> None:
    """Frames squeezed, or widened: found at the same places, in the same crops, with the same measures."""
    squeezed = [cv2.resize(frame.rgb(), (width, frame.facts.height), interpolation=cv2.INTER_AREA) for frame in frames]
    there = film(tmp_path / "frames", squeezed, shot_of=lambda number: int(number >= CUT), sample_aspect=aspect)
    found = detect(there, DetectionSettings(device="cpu", minimum_face=40), (), clip="x", identity="ada").faces
    share = width / frames.facts.width
    seen, known = (table[table["taken"] & (table["frame"] != HIDDEN)] for table in (found, faces))
    assert list(seen["frame"]) == list(known["frame"])
    places = [np.stack(table["points"].tolist()).reshape(-1, 2) for table in (known, seen)]
    assert np.abs(places[0] * (share, 1.0) - places[1]).max() < 2.5
    boxes = [table[["x0", "x1"]].to_numpy() for table in (known, seen)]
    assert np.abs(boxes[0] * share - boxes[1]).max() < 4
    ours = align(there, found, SETTINGS, clip="x").whole()
    ours, right = (table[table["frame"] != HIDDEN] for table in (ours, alignments.whole()))
    landmarks = [np.stack(table["landmarks"].tolist()).reshape(-1, 478, 3)[..., :2] for table in (right, ours)]
    assert np.abs(landmarks[0] * (share, 1.0) - landmarks[1]).mean() < 0.5
    poses = [table[["yaw", "pitch", "roll"]].to_numpy() for table in (right, ours)]
    assert np.abs(poses[0] - poses[1]).mean() < 1.0
    assert np.abs(ours["mouth_open"].to_numpy() - right["mouth_open"].to_numpy()).max() < 0.05
    for number, (mine, other) in enumerate(zip(ours["transform"], right["transform"], strict=True)):
        one = next(there.pick([int(ours["frame"].iloc[number])])).rgb()
        two = next(frames.pick([int(ours["frame"].iloc[number])])).rgb()
        crops = [crop(one, as_matrix(mine), 64).astype(float), crop(two, as_matrix(other), 64).astype(float)]
        assert np.abs(crops[0] - crops[1]).mean() < 6


def test_a_landmark_by_hand_lies_in_the_pixels_of_an_anamorphic_frame(
    frames: Frames, faces: pd.DataFrame, tmp_path: Path
) -> None:
    squeezed = [cv2.resize(frame.rgb(), (160, frame.facts.height), interpolation=cv2.INTER_AREA) for frame in frames]
    there = film(tmp_path / "frames", squeezed, shot_of=lambda number: int(number >= CUT), sample_aspect="2/1")
    found = detect(there, DetectionSettings(device="cpu", minimum_face=40), (), clip="x", identity="ada").faces
    taken = found[found["taken"]].iloc[0]
    x, y = float((taken["x0"] + taken["x1"]) / 2), float(taken["y1"])
    frame, face = int(taken["frame"]), int(taken["face"])
    correction = Correction(frame=frame, face=face, points={152: (x, y)})
    by_hand = Decisions(footage=there.fingerprint, landmarks=(correction,))
    still = AlignmentSettings(device="cpu", smooth_landmarks=0.0)
    chin = np.reshape(align(there, found, still, by_hand, clip="x").whole()["landmarks"].iloc[0], (478, 3))[152]
    np.testing.assert_allclose(chin[:2], (x, y), atol=0.01)


def test_a_hidden_face_is_bridged_and_says_so(alignments: Alignments) -> None:
    hidden = alignments.whole().set_index("frame").loc[HIDDEN]
    assert hidden["confidence"] < 0.5
    chained = compose(place(HIDDEN), as_matrix(hidden["transform"]))
    around = compose(place(HIDDEN - 1), as_matrix(alignments.whole().set_index("frame").loc[HIDDEN - 1]["transform"]))
    np.testing.assert_allclose(chained, around, atol=0.02)


def test_roll_follows_the_turn_of_the_picture(alignments: Alignments) -> None:
    table = alignments.whole()[alignments.whole()["frame"] < CUT]
    rolls = table["roll"].to_numpy() - [3 * number - 10 for number in table["frame"]]
    assert np.ptp(rolls) < 4.0


def test_twice_gives_the_same_bytes(
    frames: Frames, faces: pd.DataFrame, alignments: Alignments, tmp_path: Path
) -> None:
    for name, made in (("first", alignments), ("second", align(frames, faces, SETTINGS, clip="y"))):
        (tmp_path / name).mkdir()
        made.write(tmp_path / name)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
    again = Alignments.read(tmp_path / "first")
    np.testing.assert_array_equal(np.stack(again.whole()["landmarks"]), np.stack(alignments.whole()["landmarks"]))


def test_the_sheet_shows_red_what_is_said_to_be_hidden_and_the_most_hidden_face_first(
    frames: Frames, alignments: Alignments
) -> None:
    whole = alignments.whole()
    hidden = np.ones((FINE, FINE), np.float32)
    hidden[:, : FINE // 2] = 0.0
    last = len(whole) - 1
    seen, visible = [ALL_SEEN] * len(whole), [1.0] * len(whole)
    seen[last], visible[last] = packed(hidden), 0.5
    sheet = drawn(frames, Alignments.of(whole.assign(seen=seen, visible=visible), alignments.facts), "x")
    redder = sheet[..., 0].astype(int) - sheet[..., 1:].mean(axis=-1)
    found = np.flatnonzero(sheet.any(axis=(1, 2)) & (redder > 110).any(axis=1))
    first = sheet[found[0] : found[-1] + 1, :TILE].astype(int)
    left, right = first[:, 4 : TILE // 2 - 4], first[:, TILE // 2 + 4 :]
    assert (left[..., 0] - left[..., 2]).mean() > 100, "the half that is hidden is red"
    row = whole.iloc[last]
    (frame,) = frames.pick([int(row["frame"])])
    there = cv2.resize(
        crop(frame.rgb(), as_matrix(row["transform"]), FINE), (TILE, TILE), interpolation=cv2.INTER_AREA
    ).astype(int)[:, TILE // 2 + 4 :]
    assert np.median(np.abs(right[:TILE] - there[: len(right)])) <= 3, "the half that is seen is as it is"


def test_without_taken_faces_the_table_is_empty(frames: Frames, faces: pd.DataFrame) -> None:
    none = align(frames, faces.assign(taken=False), SETTINGS, clip="x")
    assert len(none.whole()) == 0


NOSE, BROW = 4, 105


def test_what_is_seen_moves_with_the_crop() -> None:
    """A crop that begins a quarter of its side further right and down, and is half as wide."""
    seen = np.ones((SIZE, SIZE), np.float32)
    seen[32:64, 64:96] = 0.0
    frame_to_unit = np.array([[0.01, 0.0, -0.5], [0.0, 0.01, -0.2]])
    closer = compose(frame_to_unit, np.array([[2.0, 0.0, -0.5], [0.0, 2.0, -0.5]]))
    made = unpacked(brought(packed(seen), frame_to_unit, closer))
    assert (made[2:62, 66:126] < 0.01).all()
    assert (made[66:, :] > 0.99).all()
    assert (made[:, :62] > 0.99).all()
    np.testing.assert_allclose(unpacked(brought(packed(seen), closer, closer)), seen, atol=1 / 255)


def test_what_is_seen_is_what_the_network_says_of_the_steadied_crop(frames: Frames, alignments: Alignments) -> None:
    network, table = VisibleFace.open(), alignments.whole().set_index("frame")
    for number in (0, 4, CUT):
        picture = next(iter(frames.pick([number]))).rgb()
        asked = network.look(crop(picture, as_matrix(table.loc[number, "transform"]), SIZE)[None])[0]
        stored = unpacked(table.loc[number, "seen"])
        assert stored.shape == (FINE, FINE)
        stored = cv2.resize(stored, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        assert ((stored < 0.5) != (asked < 0.5)).mean() < 0.02


class TestDecisions:
    """A landmark that was set by hand, and the frames around it."""

    def align(self, frames: Frames, faces: pd.DataFrame, *corrections: Correction) -> Alignments:
        decisions = Decisions(footage=frames.fingerprint, landmarks=corrections)
        return align(frames, faces, SETTINGS, decisions, clip="x")

    def correction(self, alignments: Alignments, frame: int, shift: tuple[float, float], landmark: int) -> Correction:
        """A landmark moved from where it was found."""
        row = alignments.whole().set_index("frame").loc[frame]
        x, y = np.reshape(row["landmarks"], (-1, 3))[landmark, :2].astype(float) + shift
        return Correction(frame=frame, face=int(row["face"]), points={landmark: (x, y)})

    def moved_by(self, made: Alignments, alignments: Alignments) -> np.ndarray:
        """(frames, 478, 3)."""
        before, after = (each.landmarks(each.table.index) for each in (alignments, made))
        return after.astype(float) - before

    def test_it_moves_its_landmark_and_no_other(
        self, frames: Frames, faces: pd.DataFrame, alignments: Alignments
    ) -> None:
        made = self.align(frames, faces, self.correction(alignments, 4, (6.0, 0.0), BROW))
        moved = self.moved_by(made, alignments)
        assert 3.0 < moved[4, BROW, 0] < 8.0
        assert np.abs(moved[CUT:]).max() == 0.0  # nothing goes over a cut
        others = [number for number in range(478) if number != BROW]
        assert np.abs(moved[:, others]).max() < 1e-3
        assert made.facts["decisions"]["count"] == 1
        np.testing.assert_array_equal(made.whole()["confidence"], alignments.whole()["confidence"])

    def test_the_frames_around_follow_as_the_smoother_says(self, alignments: Alignments) -> None:
        """On a face that keeps still: on a fast one the smoother joins no frames."""
        canonical = read_canonical(open_pack().files["canonical_face"])
        still = alignments.landmarks([0])[0]
        looked = pa.Table.from_pandas(table_of([Seen(still, 1.0, 1.0, 0.5, 1.0, ALL_SEEN)] * 9), LOOKED)
        taken = pd.DataFrame({"frame": range(9), "track": 0})
        x, y = still[BROW, :2].astype(float)
        by_hand = [{BROW: (x + 6.0, y)} if number == 4 else {} for number in range(9)]
        ((_, steadied),) = Steadying(taken, looked, np.ones(9), by_hand, canonical, SETTINGS).windows()
        moved = steadied.landmarks[:, BROW, 0] - x
        np.testing.assert_allclose(moved, moved[::-1], atol=1e-6)
        assert moved[4] == max(moved) > 3.0
        assert 0.1 < moved[3] < moved[4]
        assert abs(moved[0]) < 0.1

    def test_without_smoothing_it_lies_where_it_was_put(self, frames: Frames, faces: pd.DataFrame) -> None:
        plain = SETTINGS.model_copy(update={"smooth_landmarks": 0.0})
        decisions = Decisions(
            footage=frames.fingerprint,
            landmarks=(self.correction(align(frames, faces, plain, clip="x"), 4, (6, 2), 0),),
        )
        made = align(frames, faces, plain, decisions, clip="x").whole().set_index("frame")
        where = np.reshape(made.loc[4, "landmarks"], (-1, 3))[0, :2]
        np.testing.assert_allclose(where, decisions.landmarks[0].points[0], atol=1e-3)

    def test_the_transform_follows_a_place_that_no_expression_moves(
        self, frames: Frames, faces: pd.DataFrame, alignments: Alignments
    ) -> None:
        made = self.align(frames, faces, self.correction(alignments, 4, (12.0, 0.0), NOSE))
        changed = np.stack(made.whole()["transform"]) - np.stack(alignments.whole()["transform"])
        assert np.abs(changed[:CUT]).max() > 1e-3
        assert np.abs(changed[CUT:]).max() == 0.0

    def test_an_unsure_frame_does_not_undo_it(
        self, frames: Frames, faces: pd.DataFrame, alignments: Alignments
    ) -> None:
        """There, landmarks are taken from the frames around: all but those that a person set."""
        made = self.align(frames, faces, self.correction(alignments, HIDDEN, (6.0, 0.0), BROW))
        assert self.moved_by(made, alignments)[HIDDEN, BROW, 0] > 3.0
        assert made.whole().set_index("frame").loc[HIDDEN, "confidence"] < 0.5

    def test_what_is_about_no_face_of_the_person_is_refused(self, frames: Frames, faces: pd.DataFrame) -> None:
        taken = faces[faces["taken"]].set_index("frame")["face"]
        other = faces[~faces["taken"]].set_index("frame")["face"]
        both = int(other.index[0])  # a frame of both people
        here = {NOSE: (110.0, 120.0)}
        for frame, face, said, mend in (
            (both, int(other[both]), "is not the right person's", f"write `face: {taken[both]}`"),
            (4, 7, "is not there", f"write `face: {taken[4]}`"),
            (400, 0, "is not there", "correct the frame's number"),
        ):
            with pytest.raises(Problem, match=f"face {face} of frame {frame} {said}") as caught:
                self.align(frames, faces, Correction(frame=frame, face=face, points=here))
            assert caught.value.where == "data/decisions/x.yaml, landmarks.0"
            assert mend in caught.value.mend

    def test_a_point_beside_the_face_is_refused(self, frames: Frames, faces: pd.DataFrame) -> None:
        face = int(faces[faces["taken"]].set_index("frame")["face"][4])
        with pytest.raises(Problem, match=r"\(0\.5, 0\.5\) is not on face") as caught:
            self.align(frames, faces, Correction(frame=4, face=face, points={NOSE: (0.5, 0.5)}))
        assert caught.value.where == f"data/decisions/x.yaml, landmarks.0.points.{NOSE}"

    def test_other_footage_is_refused(self, frames: Frames, faces: pd.DataFrame) -> None:
        decisions = Decisions(footage="3-0", landmarks=(Correction(frame=4, points={NOSE: (110, 120)}),))
        with pytest.raises(Problem, match="made on the footage 3-0"):
            align(frames, faces, SETTINGS, decisions, clip="x")

    def test_a_chart_is_asked_for_by_clip_frame_and_face(
        self, frames: Frames, alignments: Alignments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "data/alignment/x").mkdir(parents=True)
        (tmp_path / "data/extraction").mkdir()
        (tmp_path / "data/extraction/x").symlink_to(frames.folder)
        alignments.write(tmp_path / "data/alignment/x")
        monkeypatch.chdir(tmp_path)
        row = alignments.table.iloc[4]
        axes = chart("x", int(row["frame"]), int(row["face"])).axes[0]
        np.testing.assert_allclose(axes.lines[0].get_xydata(), alignments.landmarks([4])[0, :, :2])
        with pytest.raises(Problem, match="has no face 77 of the person"):
            chart("x", int(row["frame"]), 77)

    def test_the_chart_has_the_frames_own_pixels(self, frames: Frames, alignments: Alignments) -> None:
        landmarks = np.reshape(alignments.whole()["landmarks"][4], (-1, 3))[:, :2]
        picture = next(iter(frames.pick([4]))).rgb()
        for around in (None, NOSE):
            axes = draw(picture, landmarks, "x", around).axes[0]
            low, high = axes.get_xlim()
            assert low < landmarks[NOSE, 0] < high
            np.testing.assert_allclose(axes.lines[0].get_xydata(), landmarks)
            assert axes.images[0].get_extent() == [0, picture.shape[1], picture.shape[0], 0]
