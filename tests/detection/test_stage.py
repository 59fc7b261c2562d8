"""The detection stage on films of two people."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from stages.artifacts.decisions import Decisions, Person, TrackName
from stages.artifacts.detections import Detections
from stages.artifacts.frames import Frames
from stages.contact_sheet import BACKGROUND as BACKGROUND_OF_SHEETS
from stages.contact_sheet import TILE, WIDTH
from stages.decisions.stage import run as take_over
from stages.detection.settings import DetectionSettings
from stages.detection.sheet import draw
from stages.detection.stage import detect, run
from stages.geometry import apply
from stages.problems import Problem
from tests.conftest import params_with
from tests.film import BACKGROUND, collins, film, hopper, moved, placed

COUNT = 10
SETTINGS = DetectionSettings(device="cpu", minimum_face=40)


def collins_at(number: int) -> np.ndarray:
    return moved(90 + 3 * number, 110, scale=0.8, degrees=2 * number)


def hopper_at(number: int) -> np.ndarray:
    return moved(255 - 2 * number, 150, scale=0.6)


@pytest.fixture(scope="module")
def two_people(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """Collins in front, Hopper in the second half."""
    pictures = [
        placed(*([(hopper(), hopper_at(number))] if number >= COUNT // 2 else []), (collins(), collins_at(number)))
        for number in range(COUNT)
    ]
    return film(tmp_path_factory.mktemp("two") / "frames", pictures)


@pytest.fixture(scope="module")
def detections(two_people: Frames) -> Detections:
    return detect(two_people, SETTINGS, (), clip="two", identity="ada")


def noses(detections: Detections, track: int) -> dict[int, np.ndarray]:
    rows = detections.faces[detections.faces["track"] == track]
    return {int(row.frame): np.reshape(row.points, (5, 2))[2] for row in rows.itertuples()}


def test_each_person_has_one_track_that_follows_them(detections: Detections) -> None:
    assert list(detections.tracks["faces"]) == [COUNT, COUNT // 2]
    for track, place in ((0, collins_at), (1, hopper_at)):
        seen = noses(detections, track)
        on_portrait = [apply(np.linalg.inv(np.vstack([place(n), [0, 0, 1]]))[:2], nose) for n, nose in seen.items()]
        assert np.std(on_portrait, axis=0).max() < 2.5


def test_the_dominant_face_is_taken_and_the_table_says_why(detections: Detections) -> None:
    assert list(detections.tracks["taken"]) == [True, False]
    assert "dominant face" in detections.tracks["reason"][0]
    assert "below" in detections.tracks["reason"][1]
    taken = detections.faces[detections.faces["taken"]]
    assert list(taken["frame"]) == list(range(COUNT))
    assert set(taken["track"]) == {0}
    assert detections.facts["frames_with_the_person"] == COUNT


def test_faces_are_numbered_within_their_frame(detections: Detections) -> None:
    for _, rows in detections.faces.groupby("frame"):
        assert list(rows["face"]) == list(range(len(rows)))


def test_a_reference_picture_chooses_the_person(two_people: Frames, tmp_path: Path) -> None:
    picture = tmp_path / "hopper.png"
    cv2.imwrite(str(picture), hopper()[:, :, ::-1])
    chosen = detect(two_people, SETTINGS, (picture,), clip="two", identity="grace")
    assert list(chosen.tracks["taken"]) == [False, True]
    assert "1 reference pictures" in chosen.tracks["reason"][1]


def test_twice_gives_the_same_bytes(two_people: Frames, detections: Detections, tmp_path: Path) -> None:
    for name, made in (("first", detections), ("second", detect(two_people, SETTINGS, (), clip="x", identity="ada"))):
        (tmp_path / name).mkdir()
        made.write(tmp_path / name)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


def test_what_lies_between_two_looks_is_where_a_look_would_have_found_it(two_people: Frames) -> None:
    """Frames 0, 3, 6 and 9, and those around the second person's coming in frame 5."""
    all_looked, detections = (
        detect(two_people, SETTINGS.model_copy(update={"every": every}), (), clip="two", identity="ada")
        for every in (1, 3)
    )
    assert (all_looked.faces["score"] > 0).all()
    assert list(all_looked.tracks["faces"]) == list(detections.tracks["faces"])
    assert set(detections.faces.query("score > 0")["frame"]) == {0, 3, 4, 5, 6, 9}
    for track in (0, 1):
        exact, between = noses(all_looked, track), noses(detections, track)
        assert exact.keys() == between.keys()
        assert max(np.abs(exact[n] - between[n]).max() for n in exact) < 3.0


class TestDecisions:
    """A person's word goes before the similarity."""

    def decided(self, frames: Frames, *, pictures: tuple[Path, ...] = (), **names: list[tuple[int, int]]) -> Detections:
        person = Person(
            **{
                kind: tuple(TrackName(track=track, first=first) for track, first in each)
                for kind, each in names.items()
            }
        )
        decisions = Decisions(footage=frames.fingerprint, person=person)
        return detect(frames, SETTINGS, pictures, decisions, clip="two", identity="ada")

    def test_the_right_track_is_taken_and_what_it_is_compared_with(self, two_people: Frames) -> None:
        """Hopper is: then Collins, the dominant face, is not alike."""
        made = self.decided(two_people, right=[(1, COUNT // 2)])
        assert list(made.tracks["taken"]) == [False, True]
        assert made.tracks["reason"][1].startswith("by hand: the right person (similarity 1.000")
        assert "to track 1, right by hand, below" in made.tracks["reason"][0]
        assert list(made.faces[made.faces["taken"]]["frame"]) == list(range(COUNT // 2, COUNT))
        assert made.facts["decisions"]["count"] == 1

    def test_a_wrong_track_is_neither_taken_nor_the_dominant_face(self, two_people: Frames) -> None:
        made = self.decided(two_people, wrong=[(0, 0)])
        assert list(made.tracks["taken"]) == [False, True]
        assert made.tracks["reason"][0].startswith("by hand: not the right person")
        assert "track 1, the clip's dominant face" in made.facts["reference"]

    def test_where_two_are_right_the_decided_one_is_taken(self, two_people: Frames, tmp_path: Path) -> None:
        """Collins by her picture, Hopper by hand: in the frames of both, Hopper."""
        picture = tmp_path / "collins.png"
        cv2.imwrite(str(picture), collins()[:, :, ::-1])
        made = self.decided(two_people, pictures=(picture,), right=[(1, COUNT // 2)])
        assert list(made.tracks["taken"]) == [True, True]
        taken = made.faces[made.faces["taken"]]
        assert list(taken["track"]) == [0] * (COUNT // 2) + [1] * (COUNT - COUNT // 2)

    @pytest.mark.parametrize(
        ("names", "field", "said"),
        [
            ({"right": [(0, 0), (1, 4)]}, "person.right.1", "but it begins at frame 5"),
            ({"wrong": [(2, 0)]}, "person.wrong.0", "but there is no such track"),
            ({"wrong": [(0, 0), (1, 5)]}, "person.wrong", "all tracks of the clip"),
        ],
    )
    def test_what_was_decided_on_other_tracks_is_refused(
        self, two_people: Frames, names: dict[str, list[tuple[int, int]]], field: str, said: str
    ) -> None:
        with pytest.raises(Problem) as caught:
            self.decided(two_people, **names)
        assert caught.value.where == f"data/decisions/two.yaml, {field}"
        assert said in caught.value.what
        if "all tracks" not in said:
            assert "{track: 0, first: 0}, {track: 1, first: 5}" in caught.value.mend

    @pytest.mark.parametrize(("footage", "said"), [(None, "do not say"), ("9-00000000", "9-00000000")])
    def test_other_footage_is_refused_with_what_to_write(
        self, two_people: Frames, footage: str | None, said: str
    ) -> None:
        decisions = Decisions(footage=footage, person=Person(wrong=(TrackName(track=0, first=0),)))
        with pytest.raises(Problem, match=said) as caught:
            detect(two_people, SETTINGS, (), decisions, clip="two", identity="ada")
        assert f"footage: {two_people.fingerprint}" in caught.value.mend

    def test_without_any_nothing_is_told(self, two_people: Frames, detections: Detections) -> None:
        assert "decisions" not in detections.facts
        assert not detections.tracks["reason"].str.contains("by hand").any()

    def test_the_sheet_shows_a_face_of_each_track(self, two_people: Frames, detections: Detections) -> None:
        shown = draw(two_people, detections, "two")
        assert shown.shape[1] == WIDTH
        assert shown.shape[0] > 2 * TILE  # each kind has one track
        beside = shown[:, 2 * TILE : 3 * TILE].reshape(-1, 3)  # but for the headings there is nothing
        assert (shown[:, :TILE].reshape(-1, 3) != BACKGROUND_OF_SHEETS).any(axis=1).mean() > 0.6
        assert (beside != BACKGROUND_OF_SHEETS).any(axis=1).mean() < 0.1


class TestProblems:
    def test_a_clip_without_a_face(self, tmp_path: Path) -> None:
        empty = film(tmp_path / "frames", [BACKGROUND] * 3)
        with pytest.raises(Problem, match="no face was found in any of its 3 frames") as caught:
            detect(empty, SETTINGS, (), clip="empty", identity="ada")
        assert "empty" in caught.value.where
        assert "detection.minimum_face" in caught.value.mend

    def test_the_wrong_person(self, tmp_path: Path) -> None:
        picture = tmp_path / "hopper.png"
        cv2.imwrite(str(picture), hopper()[:, :, ::-1])
        alone = film(tmp_path / "frames", [placed((collins(), collins_at(0)))] * 3)
        with pytest.raises(Problem, match="none of its faces is 'grace'") as caught:
            detect(alone, SETTINGS, (picture,), clip="alone", identity="grace")
        assert "identities.grace.reference" in caught.value.mend
        assert "data/decisions/alone.yaml, person.right: {track: 0, first: 0}" in caught.value.mend

    @pytest.mark.parametrize("content", [None, b"this is no picture"])
    def test_an_unreadable_reference_picture(self, two_people: Frames, tmp_path: Path, content: bytes | None) -> None:
        picture = tmp_path / "me.png"
        if content is not None:
            picture.write_bytes(content)
        with pytest.raises(Problem, match="can not be read"):
            detect(two_people, SETTINGS, (picture,), clip="two", identity="ada")

    def test_a_reference_picture_without_a_face(self, two_people: Frames, tmp_path: Path) -> None:
        picture = tmp_path / "wall.png"
        cv2.imwrite(str(picture), BACKGROUND)
        with pytest.raises(Problem, match="no face in this reference picture"):
            detect(two_people, SETTINGS, (picture,), clip="two", identity="ada")

    def test_nothing_is_left_behind(self, workplace: Path) -> None:
        film(workplace / "data/extraction/ada", [BACKGROUND] * 2)
        params = params_with({"ada": Path("ada.mp4")})
        take_over("ada", params)
        with pytest.raises(Problem, match="no face"):
            run("ada", params)
        assert not any((workplace / "data").glob("detection/*"))


@pytest.fixture(scope="module")
def cartwheel(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """Collins, who turns round once by 15 degrees a frame."""
    pictures = [placed((collins(), moved(160, 120, scale=0.8, degrees=15 * number))) for number in range(24)]
    return film(tmp_path_factory.mktemp("cartwheel") / "frames", pictures)


def wandering(found: Detections) -> float:
    """By how many pixels at most the five points leave their places on the portrait."""
    seen = {row.frame: np.reshape(row.points, (5, 2)) for row in found.faces.itertuples()}
    ways = [np.linalg.inv(np.vstack([moved(160, 120, scale=0.8, degrees=15 * n), [0, 0, 1]]))[:2] for n in seen]
    on_portrait = np.stack([apply(way, points) for way, points in zip(ways, seen.values(), strict=True)])
    return float(np.abs(on_portrait - on_portrait[0]).max())


@pytest.mark.parametrize("every", [1, 5])
def test_a_head_is_followed_all_the_way_round(cartwheel: Frames, every: int) -> None:
    settings = SETTINGS.model_copy(update={"every": every})
    found = detect(cartwheel, settings, (), clip="cartwheel", identity="ada")
    assert list(found.faces["frame"]) == list(range(24))
    assert found.faces["taken"].all()
    assert found.facts["tilted_looks"] >= 24 // every
    assert wandering(found) < 8.0


def test_without_looks_for_tilted_heads_it_is_not(cartwheel: Frames) -> None:
    settings = SETTINGS.model_copy(update={"tilted": "never", "every": 1})
    found = detect(cartwheel, settings, (), clip="cartwheel", identity="ada")
    assert "tilted_looks" not in found.facts
    assert wandering(found) > 20.0


def test_looking_always_looks_at_every_frame(two_people: Frames) -> None:
    found = detect(
        two_people, SETTINGS.model_copy(update={"tilted": "always", "every": 1}), (), clip="two", identity="ada"
    )
    assert found.facts["tilted_looks"] == COUNT
    assert list(found.tracks["faces"]) == [COUNT, COUNT // 2]


def test_a_reference_picture_that_lies_on_its_side_is_read(two_people: Frames, tmp_path: Path) -> None:
    picture = placed((hopper(), moved(160, 120, degrees=90)))
    cv2.imwrite(str(tmp_path / "hopper.png"), picture[:, :, ::-1])
    found = detect(two_people, SETTINGS, (tmp_path / "hopper.png",), clip="two", identity="ada")
    assert list(found.tracks["taken"]) == [False, True]
