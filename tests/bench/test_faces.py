"""Three people who pass each other, known exactly: who is found, who is taken, where landmarks lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.alignment.settings import AlignmentSettings
from stages.bench import faces, sparing
from stages.bench.accuracy import INNER, MESH_OF, convention, errors, normalised, shown
from stages.bench.crowd import Person
from stages.bench.faces import Filmed, Results, filmed, results
from stages.bench.matching import HIDDEN, found, taken, whose
from stages.bench.stability import across, jitter, lag
from stages.detection.settings import DetectionSettings
from stages.rendering.landmarks import five_points
from stages.rendering.posing import rotation
from tests.bench.crossing import CROSSING

HOW = DetectionSettings(device="cpu"), AlignmentSettings(device="cpu")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    return filmed(tmp_path_factory.mktemp("crossing") / "film", CROSSING)


@pytest.fixture(scope="module")
def made(film: Filmed) -> Results:
    return results(film, *HOW)


class TestCrossing:
    """The stages on a scene in which everybody is hidden behind somebody or hides somebody."""

    def test_every_face_that_nobody_covers_is_found(self, film: Filmed, made: Results) -> None:
        rows = found(made.detections["near"].faces, film.truth)
        clear = rows[(rows["covered"] <= faces.CLEAR) & (rows["size"] >= 48) & (rows["yaw"].abs() <= 60)]
        assert clear["person"].value_counts().min() >= 20
        assert clear["found"].mean() >= 0.99

    def test_nobody_else_is_taken_for_the_right_person(self, film: Filmed, made: Results) -> None:
        for name, detections in made.detections.items():
            assert set(taken(detections.faces, film.truth)["person"]) == {name}

    def test_nor_do_landmarks_lie_on_anybody_else(self, film: Filmed, made: Results) -> None:
        assert (faces.table_of_taken(film, made)["landmarks on another"] == 0).all()

    def test_where_one_is_hidden_the_frame_is_left_alone(self, film: Filmed, made: Results) -> None:
        for name, detections in made.detections.items():
            shown_in = set(detections.faces.query("taken")["frame"])
            hidden = {
                frame for frame, people in enumerate(film.truth) for each in people
                if each.name == name and each.covered >= HIDDEN
            }  # fmt: skip
            assert not hidden & shown_in
        assert made.detections["near"].facts["hidden_faces"] > 0

    def test_what_sparing_loses_is_told_in_a_line(self, film: Filmed, made: Results) -> None:
        people, landmarks = faces.aligned(film, made)
        meant = convention(people, errors(people, landmarks))
        names = ("three", "still", "turn")
        line = sparing.row(1, dict.fromkeys(names, film), dict.fromkeys(names, made), meant)
        every, seen, clear, right, wrong, error, fast, jitter, lag = (cell.strip() for cell in line[1:-1].split("|"))
        assert (every, wrong) == ("1", "0")
        assert float(clear.rstrip("%")) >= 99.0
        assert float(error.rstrip("%")) < 3.0
        assert seen.endswith("%")
        assert fast.endswith("%")
        took, of = right.split(" of ")
        assert took == of
        assert float(jitter.removesuffix(" px")) > 0.0
        assert abs(float(lag)) < 5.0

    def test_landmarks_lie_where_they_should(self, film: Filmed, made: Results) -> None:
        people, landmarks = faces.aligned(film, made)
        meant = convention(people, errors(people, landmarks))
        table = faces.table_of_errors(people, landmarks, meant).loc[
            [15.0, 30.0]
        ]  # there, nobody is about to be covered
        assert (table["faces"] >= 15).all()
        assert (table["less convention"] < 0.03).all()
        assert (table["less convention"] < table["raw"]).all()


def someone(yaw: float = 0.0, name: str = "ann", shift: tuple[float, float] = (0.0, 0.0)) -> Person:
    """A made-up truth: landmarks of chance in space, seen from the front by scaled orthography."""
    space = np.random.default_rng(0).uniform(-5, 5, (70, 3))
    turn = rotation(yaw, 0.0, 0.0)
    landmarks = (10.0 * space @ turn[:2].T + 100.0 + np.array(shift)).astype(np.float32)
    return Person(name, landmarks, yaw, 0.0, 0.0, turn, 10.0, 177.0, 90.0, 0.0)


def mesh(person: Person, displacement: np.ndarray | float = 0.0) -> np.ndarray:
    """The 478 landmarks that lie at the truth's, displaced by pixels (51, 2)."""
    points = np.zeros((478, 3))
    points[list(MESH_OF), :2] = person.landmarks[INNER] + displacement
    return points


class TestAccuracy:
    """What counts as error and what as convention."""

    def test_a_place_that_is_meant_otherwise_is_no_error(self) -> None:
        meant = np.random.default_rng(1).normal(size=(51, 3))
        people = [someone(yaw, name) for name in ("ann", "bob") for yaw in (-40.0, 0.0, 30.0)]
        landmarks = [mesh(person, shift) for person, shift in zip(people, shown(people, meant), strict=True)]
        vectors = errors(people, landmarks)
        np.testing.assert_allclose(convention(people, vectors), meant, atol=1e-4)
        assert normalised(people, vectors - shown(people, convention(people, vectors))).max() < 1e-5
        assert normalised(people, vectors).min() > 0.05

    def test_what_one_persons_face_has_alone_is_error(self) -> None:
        people = [someone(yaw, name) for name in ("ann", "bob") for yaw in (-40.0, 0.0, 30.0)]
        vectors = errors(people, [mesh(person, 9.0 * (person.name == "bob")) for person in people])
        of_ann = convention(people[:3], vectors[:3])
        rest = normalised(people, vectors - shown(people, of_ann))
        np.testing.assert_allclose(rest[3:], 9.0 * np.sqrt(2) / 90.0, rtol=1e-4)

    def test_five_points_tell_whose_face_it_is(self) -> None:
        people = [someone(), someone(name="bob", shift=(150.0, 0.0))]
        assert whose(people, five_points(people[1].landmarks) + 5.0) == 1
        assert whose(people, five_points(people[0].landmarks) + 75.0) is None


class TestStability:
    """Landmarks as alignment leaves them, and the measures themselves on movements that are known."""

    def test_landmarks_keep_still_keep_up_and_keep_to_their_shot(self, tmp_path: Path) -> None:
        steady = faces.steadiness(tmp_path, *HOW)
        assert steady.jitter < min(0.15, steady.network)
        assert abs(steady.lag) < 0.5
        assert steady.shots == 2
        assert steady.across == 0.0

    def test_jitter_is_the_noise_in_pixels_at_256(self) -> None:
        noise = np.random.default_rng(0).normal(scale=0.5, size=(400, 30, 2))
        assert jitter(100.0 + noise, 128.0) == pytest.approx(1.0, rel=0.02)

    @pytest.mark.parametrize("late", [-0.7, 0.0, 0.5])
    def test_lag_is_told_in_parts_of_a_frame(self, late: float) -> None:
        def at(time: float) -> Person:
            return someone(40.0 * np.sin(time / 4.0))

        people = [at(float(frame)) for frame in range(30)]
        landmarks = np.stack([mesh(at(frame - late), 3.0) for frame in range(30)])
        assert lag(landmarks, people) == pytest.approx(late, abs=0.03)

    def test_what_goes_over_a_cut_is_seen(self) -> None:
        first, second = np.zeros((4, 5, 2)), np.ones((3, 5, 2))
        whole = np.concatenate([first, second])
        assert across(whole, first, second) == 0.0
        whole[4, 2] += (3.0, 4.0)
        assert across(whole, first, second) == 5.0
