"""Classes that a person hides, or lets stand alone: numbers, words, and what is left of results."""

from __future__ import annotations

import numpy as np
import pytest

from models.results import UNLABELLED, Classification, Detections, Poses, Result, SegmentationMap
from stream.class_choice import ClassChoice
from stream.overlays.emphasis import Emphasis

NAMES = tuple(f"c{number}" for number in range(20))


def objects(*class_ids: int) -> Detections:
    count = len(class_ids)
    boxes = np.tile(np.array([1, 2, 3, 4], np.float32), (count, 1))
    scores = np.linspace(0.9, 0.5, count, dtype=np.float32)
    return Detections("object_detection", boxes, scores, np.array(class_ids, np.int64), NAMES)


def poses(*class_ids: int) -> Poses:
    count = len(class_ids)
    places, scores = np.zeros((count, 1, 2), np.float32), np.ones((count, 1), np.float32)
    return Poses("pose_estimation", objects(*class_ids), places, scores, ("nose",))


def labels_of(results: dict[str, Result]) -> list[str]:
    (result,) = results.values()
    assert isinstance(result, Detections | Poses)
    return (result.objects if isinstance(result, Poses) else result).labels


def test_classes_are_numbered_as_they_are_first_seen_and_keep_their_numbers() -> None:
    choice = ClassChoice()
    choice.note({"m": objects(7, 3, 7)})
    choice.note({"m": objects(3), "n": objects(1)})
    assert list(choice.seen) == ["c7", "c3", "c1"]
    choice.note({"m": objects(*range(20))})
    assert list(choice.seen) == ["c7", "c3", "c1", "c0", "c2", "c4", "c5", "c6", "c8"]  # as many as there are digits


def test_of_a_map_the_larger_class_is_first_and_the_background_is_none() -> None:
    class_map = np.full((64, 64), UNLABELLED, np.uint16)
    class_map[:, :8], class_map[:, 8:40], class_map[:, 40:48] = 1, 2, 0
    choice = ClassChoice()
    choice.note({"m": SegmentationMap("semantic_segmentation", class_map, ("background", "wall", "floor"))})
    assert choice.seen == ("floor", "wall")


def test_what_says_nothing_of_places_has_no_classes_to_hide() -> None:
    guess = Classification("image_classification", np.array([1], np.int64), np.array([1.0], np.float32), NAMES)
    choice = ClassChoice()
    choice.note({"m": guess})
    assert (choice.seen, choice.choose(1), choice.isolate()) == (
        (),
        "no class 1 has been seen yet",
        "no class has been seen yet",
    )
    choice.hidden = frozenset({"c1"})
    assert choice.shown({"m": guess}) == {"m": guess}


@pytest.mark.parametrize("result", [objects(5, 6, 5), poses(5, 6, 5)], ids=["boxes", "poses"])
def test_a_number_hides_its_class_and_shows_it_again(result: Result) -> None:
    choice = ClassChoice()
    results = {"m": result}
    choice.note(results)
    assert choice.choose(1) == "c5: hidden"
    assert labels_of(dict(choice.shown(results))) == ["c6"]
    assert choice.rows() == [("1", "c5 (hidden)"), ("2", "c6")]
    assert choice.choose(2) == "c6: hidden"
    assert labels_of(dict(choice.shown(results))) == []
    assert (choice.choose(1), choice.choose(2)) == ("c5: shown", "c6: shown")
    assert labels_of(dict(choice.shown(results))) == ["c5", "c6", "c5"]


def test_a_hidden_class_of_a_map_is_left_unlabelled() -> None:
    class_map = np.array([[0, 1], [1, 0]], np.uint16)
    choice = ClassChoice()
    choice.seen, choice.hidden = ("a", "b"), frozenset({"b"})
    shown = choice.shown({"m": SegmentationMap("semantic_segmentation", class_map, ("a", "b"))})["m"]
    assert isinstance(shown, SegmentationMap)
    assert shown.class_map.tolist() == [[0, UNLABELLED], [UNLABELLED, 0]]


def test_one_class_alone_goes_through_all_ways_and_ends_with_all_classes() -> None:
    choice = ClassChoice()
    choice.note({"m": objects(5, 6)})
    said = [choice.isolate() for _ in range(4)]
    assert said == ["c5 alone, the rest blurred", "c5 alone, the rest white", "c5 alone, the rest grey", "all classes"]
    assert choice.emphasis is None


def test_while_one_stands_alone_numbers_choose_which() -> None:
    choice = ClassChoice()
    choice.note({"m": objects(5, 6)})
    choice.choose(2)  # hidden
    assert choice.isolate() == "c6 alone, the rest blurred"  # the one that was chosen last, and it is shown again
    assert choice.hidden == frozenset()
    assert choice.choose(1) == "c5 alone, the rest blurred"
    assert choice.rows() == [("1", "c5 (alone)"), ("2", "c6")]
    assert choice.hidden == frozenset()


@pytest.mark.parametrize(
    ("begun", "then"),
    [
        (Emphasis("c1", "white"), Emphasis("c1", "grey")),  # as the configuration has it: goes on from there
        (Emphasis("c1", "grey"), None),
        (Emphasis("c1", "dim"), Emphasis("c1", "blur")),  # highlighted
    ],
)
def test_what_the_configuration_isolates_is_where_the_keys_begin(begun: Emphasis, then: Emphasis | None) -> None:
    choice = ClassChoice(begun)
    choice.isolate()
    assert choice.emphasis == then
