"""Tracks follow people, not places, and never over a cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.artifacts.decisions import Person
from stages.detection.identity import Reference, judge, reference_from_tracks
from stages.detection.looking import Sight
from stages.detection.sparing import first_looks, second_looks
from stages.detection.tracking import Face, Track, Tracker, covered, filled, in_sight, overlap
from stages.packs import Found

SAME = 0.9
ANN, BOB, CAY = np.eye(4, dtype=np.float32)[:3]


def found(*centres: tuple[float, float], side: float = 40.0) -> Found:
    """Faces at these centres, all equally sure."""
    boxes = np.array([[x - side / 2, y - side / 2, x + side / 2, y + side / 2] for x, y in centres], np.float32)
    points = np.repeat(np.array(centres, np.float32).reshape(-1, 1, 2), 5, axis=1)
    return Found(np.full(len(centres), 0.9, np.float32), boxes.reshape(-1, 4), points)


def who(*people: NDArray[np.float32]) -> NDArray[np.float32]:
    """Embeddings of these people, each a little off."""
    noisy = np.array(people) + 0.05 * np.roll(np.array(people), 2, axis=1)
    return np.asarray(noisy / np.linalg.norm(noisy, axis=1, keepdims=True), np.float32)


def test_two_people_who_cross_keep_their_tracks() -> None:
    tracker = Tracker(gap=3, same_person=SAME)
    for frame in range(41):
        ann, bob = (20.0 + 5 * frame, 50.0), (220.0 - 5 * frame, 52.0)
        places, people = ((ann, bob), (ANN, BOB)) if frame % 2 else ((bob, ann), (BOB, ANN))
        tracker.add(frame, 0, found(*places), who(*people))
    assert len(tracker.tracks) == 2
    for track in tracker.tracks:
        alike = [float(face.embedding @ track.faces[0].embedding) for face in track.faces]
        assert len(track.faces) == 41
        assert min(alike) > SAME


def alike_people(*people: NDArray[np.float32]) -> NDArray[np.float32]:
    """Embeddings as of a pack to which all faces look alike: two people's are 0.85 similar, one person's 1."""
    common = np.eye(4, dtype=np.float32)[3]
    mixed = np.sqrt(0.85) * common + np.sqrt(0.15) * np.array(people)
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), np.float32)


def passing(frame: int) -> list[tuple[tuple[float, float], NDArray[np.float32]]]:
    """Bob stands; Ann walks before him and hides him for seven frames."""
    ann = (20.0 + 12 * frame, 50.0)
    bob = (128.0, 51.0)
    return [(ann, ANN)] + ([(bob, BOB)] if not 6 <= frame <= 12 else [])


def walk() -> Tracker:
    tracker = Tracker(gap=12, same_person=SAME)
    for frame in range(20):
        places, people = zip(*passing(frame), strict=True)
        tracker.add(frame, 0, found(*places), alike_people(*people))
    return tracker


def test_who_goes_on_is_not_taken_for_who_is_hidden() -> None:
    """Where the one in front comes to the place of the one behind, boxes alone would exchange them."""
    tracker = walk()
    assert [len(track.faces) for track in tracker.tracks] == [20, 13]
    for track in tracker.tracks:
        assert min(float(face.embedding @ track.faces[0].embedding) for face in track.faces) > 0.99


def test_a_face_is_not_interpolated_onto_who_stands_before_it() -> None:
    tracker = walk()
    ann, bob = in_sight(tracker.tracks)[0]
    assert [face.frame for face in ann] == list(range(20))
    assert [face.frame for face in bob] == [*range(7), *range(12, 20)]  # boxes are 40 wide: 24 aside is behind, 36 not
    assert in_sight(tracker.tracks)[1] == 5


@pytest.mark.parametrize("every", [1, 2, 5])
def test_nor_where_nobody_looked_at_who_stands_there(every: int) -> None:
    """Ann stops before Bob for ten frames: looks that agree are not repeated between."""
    places = [(20.0 + 36 * min(frame, 3) + 36 * max(frame - 13, 0), 50.0) for frame in range(20)]
    seen: dict[int, Sight] = {}

    def look(frames: list[int]) -> None:
        for frame in frames:
            hides = abs(places[frame][0] - 128.0) < 36
            shown = [(places[frame], ANN)] + ([] if hides else [((128.0, 51.0), BOB)])
            centres, people = zip(*shown, strict=True)
            seen[frame] = Sight(frame, found(*centres), alike_people(*people))

    look(first_looks([0] * 20, every))
    look(second_looks(seen, [0] * 20, SAME))
    assert (len(seen) < 20) == (every > 1)
    tracker = Tracker(gap=12, same_person=SAME)
    for frame in sorted(seen):
        tracker.add(frame, 0, seen[frame].found, seen[frame].embeddings)
    ann, bob = in_sight(tracker.tracks)[0]
    assert [face.frame for face in ann] == list(range(20))
    assert [face.frame for face in bob] == [*range(3), *range(14, 20)]


def test_two_who_stand_close_do_not_hide_each_other_in_a_frame_in_which_nobody_was_found() -> None:
    tracker = Tracker(gap=12, same_person=SAME)
    for frame in (0, 1, 2, 3, 4, 5):
        if frame == 3:
            tracker.add(frame, 0, found(), np.zeros((0, 4), np.float32))
        else:
            tracker.add(frame, 0, found((50.0 + frame, 50.0), (70.0 - frame, 50.0)), alike_people(ANN, BOB))
    kept, hidden = in_sight(tracker.tracks)
    assert [[face.frame for face in faces] for faces in kept] == [list(range(6))] * 2
    assert hidden == 0


def test_a_face_that_others_cover_and_that_is_like_nobody_begins_a_track() -> None:
    tracker = Tracker(gap=12, same_person=SAME)
    tracker.add(0, 0, found((50, 50), (120, 50)), alike_people(ANN, BOB))
    tracker.add(1, 0, found((95, 50), (115, 50)), alike_people(ANN, CAY))  # a mixture of both faces, say
    assert [len(track.faces) for track in tracker.tracks] == [1, 1, 1, 1]


def test_a_face_alone_follows_its_track_however_it_looks() -> None:
    tracker = Tracker(gap=12, same_person=SAME)
    for frame in range(4):
        tracker.add(frame, 0, found((50 + frame, 50)), alike_people(CAY if frame == 2 else ANN))
    assert [len(track.faces) for track in tracker.tracks] == [4]


def test_a_cut_ends_every_track() -> None:
    tracker = Tracker(gap=10, same_person=SAME)
    for frame in range(6):
        tracker.add(frame, frame // 3, found((50, 50)), who(ANN))
    assert [len(track.faces) for track in tracker.tracks] == [3, 3]
    assert [track.shot for track in tracker.tracks] == [0, 1]


@pytest.mark.parametrize(("hidden", "tracks"), [(5, 1), (6, 2)])
def test_a_face_may_be_hidden_for_a_while(hidden: int, tracks: int) -> None:
    tracker = Tracker(gap=5, same_person=SAME)
    for frame in range(20):
        seen = not 4 <= frame < 4 + hidden
        tracker.add(frame, 0, found((50, 50)) if seen else found(), who(ANN) if seen else np.zeros((0, 4), np.float32))
    assert len(tracker.tracks) == tracks


@pytest.mark.parametrize(("missed", "tracks"), [((), 1), ((7,), 2)])
def test_frames_that_were_not_looked_at_hide_no_face(missed: tuple[int, ...], tracks: int) -> None:
    """Each fifth frame is looked at, and no face may be hidden: not seen where it was looked for, it has gone."""
    tracker = Tracker(gap=0, same_person=SAME, every=5)
    for frame in sorted({*range(0, 25, 5), *missed}):
        seen = frame not in missed
        tracker.add(frame, 0, found((50, 50)) if seen else found(), who(ANN) if seen else np.zeros((0, 4), np.float32))
    assert [len(track.faces) for track in tracker.tracks] == ([5] if tracks == 1 else [2, 3])


@pytest.mark.parametrize("widening", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("jump", "tracks"), [(95.0, 1), (105.0, 2)])
def test_how_far_a_face_may_jump_is_told_in_square_pixels(widening: float, jump: float, tracks: int) -> None:
    """As far as it is high; what a pixel is wide changes no track."""
    tracker = Tracker(gap=5, same_person=SAME, widening=widening)
    for frame, x in enumerate((100.0, 100.0 + jump)):
        seen = found((x, 100.0), side=100.0)
        seen.boxes[:, ::2] /= widening
        tracker.add(frame, 0, seen, who(ANN))
    assert len(tracker.tracks) == tracks


def test_another_person_elsewhere_begins_a_track() -> None:
    tracker = Tracker(gap=5, same_person=SAME)
    tracker.add(0, 0, found((50, 50)), who(ANN))
    tracker.add(1, 0, found((85, 50)), who(BOB))
    assert len(tracker.tracks) == 2
    tracker.add(2, 0, found((80, 50), (110, 50)), who(ANN, BOB))
    assert [len(track.faces) for track in tracker.tracks] == [2, 2]


def face(frame: int, x: float) -> Face:
    box = np.array([x, 0, x + 40, 40], np.float32)
    return Face(frame, 0.9, box, np.full((5, 2), x, np.float32), ANN)


def test_frames_between_are_interpolated() -> None:
    track = Track(0)
    for frame, x in ((3, 0.0), (4, 10.0), (8, 50.0)):
        track.add(face(frame, x))
    faces = filled(track)
    assert [one.frame for one in faces] == [3, 4, 5, 6, 7, 8]
    np.testing.assert_allclose([one.box[0] for one in faces], [0, 10, 20, 30, 40, 50], atol=1e-4)
    np.testing.assert_allclose([one.points[2, 1] for one in faces], [0, 10, 20, 30, 40, 50], atol=1e-4)
    assert [one.score > 0 for one in faces] == [True, True, False, False, False, True]


def test_the_dominant_track_is_the_reference_and_others_are_judged_by_it() -> None:
    tracker = Tracker(gap=5, same_person=SAME)
    for frame in range(10):
        tracker.add(frame, 0, found((50, 50)), who(ANN)) if frame < 3 else tracker.add(
            frame, 1, found((50, 50), (150, 50)), who(BOB, ANN)
        )
    reference = reference_from_tracks(tracker.tracks, Person())
    assert reference.origin.startswith("track 1")
    assert [verdict.taken for verdict in judge(tracker.tracks, reference, SAME, Person())] == [False, True, False]
    others = judge(tracker.tracks, Reference(ANN, "1 reference pictures"), SAME, Person())
    assert [verdict.taken for verdict in others] == [True, False, True]
    assert "below 0.900" in others[1].reason


boxes = st.lists(
    st.tuples(st.floats(0, 90), st.floats(0, 90), st.floats(1, 50), st.floats(1, 50)).map(
        lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
    ),
    min_size=1,
    max_size=5,
).map(lambda rows: np.array(rows, np.float32))


@settings(max_examples=40, deadline=None)
@given(boxes, boxes)
def test_what_covers_a_box_overlaps_it_and_the_rest_of_the_box_is_free(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> None:
    shares = covered(first, second)
    assert (shares >= overlap(first, second) - 1e-5).all()
    assert (shares <= 1 + 1e-4).all()
    np.testing.assert_allclose(np.diag(covered(first, first)), 1.0, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(boxes, boxes)
def test_overlap_is_a_symmetric_share(first: NDArray[np.float32], second: NDArray[np.float32]) -> None:
    shares = overlap(first, second)
    assert shares.shape == (len(first), len(second))
    assert (shares >= 0).all()
    assert (shares <= 1 + 1e-5).all()
    np.testing.assert_allclose(shares, overlap(second, first).T, atol=1e-5)
    np.testing.assert_allclose(np.diag(overlap(first, first)), 1.0, atol=1e-4)
