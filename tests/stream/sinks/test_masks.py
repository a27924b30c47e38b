"""Masks as pictures: exactly the pixels of each object and class, under names that say which."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest

from models.results import UNLABELLED, DepthMap, Detections, Result, SegmentationMap
from stream.frame import Frame
from stream.frame_result import FrameResult
from stream.overlays.depth import depth_colours
from stream.overlays.theme import class_colour
from stream.sinks import make_sink
from stream.sinks.masks import depth_levels
from tests.stream.sinks.recording import Judge, describe

INFO = describe(33, 17)
NAMES = ("background", "semáforo / piña", "person")


def moment(results: dict[str, Result], index: int = 0, carried: frozenset[str] = frozenset()) -> FrameResult:
    image = np.full((INFO.height, INFO.width, 3), 90, np.uint8)
    frame = Frame(image, index, INFO.time_base, index, 0)
    return FrameResult(frame, results, found_on=dict.fromkeys(carried, frame))


def objects(track_ids: list[int] | None = None, *, masks: bool = True) -> Detections:
    """Two persons, of whom the surer covers columns 0 to 19, the other 10 to 29."""
    planes = np.zeros((2, INFO.height, INFO.width), np.bool_)
    planes[0, :, :20] = planes[1, :, 10:30] = True
    return Detections(
        "instance_segmentation",
        np.array([[0, 0, 20, 17], [10, 0, 30, 17]], np.float32),
        np.array([0.9, 0.8], np.float32),
        np.array([2, 1], np.int64),
        NAMES,
        planes if masks else None,
        None if track_ids is None else np.array(track_ids, np.int64),
    )


def segments() -> SegmentationMap:
    class_map = np.full((INFO.height, INFO.width), UNLABELLED, np.uint16)
    class_map[:, :10], class_map[:, 10:15] = 0, 2
    return SegmentationMap("semantic_segmentation", class_map, NAMES)


def written(folder: Path, *moments: FrameResult) -> dict[str, Any]:
    sink = make_sink(f"masks:{folder}/masks/")
    sink.open(INFO)
    for result in moments:
        sink.write(result.frame.image, result)
    sink.close()
    paths = sorted(folder.glob("masks/*"))
    assert sink.paths() == ([f"masks:{folder}/masks/"] if paths else [])
    return {path.stem: cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED) for path in paths}


def test_each_object_has_a_binary_mask_and_the_surest_lies_on_top_in_colours(tmp_path: Path) -> None:
    found = objects()
    pictures = written(tmp_path, moment({"yolo": found}, 7))
    names = ["frame_000007_yolo_colours", "frame_000007_yolo_person_1", "frame_000007_yolo_semáforo-piña_2"]
    assert sorted(pictures) == names
    assert found.masks is not None
    for name, mask in zip(names[1:], found.masks, strict=True):
        np.testing.assert_array_equal(pictures[name], mask * 255)
    colours = pictures[names[0]]
    expected = np.zeros((INFO.height, INFO.width, 3), np.uint8)
    expected[:, :20], expected[:, 20:30] = class_colour(2), class_colour(1)
    np.testing.assert_array_equal(colours, expected)


def test_tracked_objects_are_numbered_by_their_tracks(tmp_path: Path) -> None:
    pictures = written(tmp_path, moment({"yolo": objects([41, 3])}))
    assert {"frame_000000_yolo_person_41", "frame_000000_yolo_semáforo-piña_3"} <= set(pictures)


def test_each_class_of_a_map_has_a_binary_mask_and_background_no_colour(tmp_path: Path) -> None:
    result = segments()
    pictures = written(tmp_path, moment({"org/seg former": result}))
    start = "frame_000000_org-seg-former"
    assert set(pictures) == {f"{start}_background", f"{start}_person", f"{start}_colours"}
    for class_id, label in ((0, "background"), (2, "person")):
        np.testing.assert_array_equal(pictures[f"{start}_{label}"], (result.class_map == class_id) * 255)
    expected = np.zeros((INFO.height, INFO.width, 3), np.uint8)
    expected[:, 10:15] = class_colour(2)
    np.testing.assert_array_equal(pictures[f"{start}_colours"], expected)


def test_classes_and_models_whose_names_give_one_file_have_one_each(tmp_path: Path) -> None:
    class_map = np.arange(INFO.width, dtype=np.uint16) % 4 * np.ones((INFO.height, 1), np.uint16)
    names = ("traffic light", "traffic/light", "Traffic-Light", "colours")
    result = SegmentationMap("semantic_segmentation", class_map, names)
    pictures = written(tmp_path, moment({"org/a": result, "org_a": result}))
    parts = ["traffic-light", "traffic-light-2", "Traffic-Light-3", "colours-2"]
    assert len(pictures) == 2 * (len(parts) + 1)
    for start in ("frame_000000_org-a", "frame_000000_org-a-2"):
        assert pictures[f"{start}_colours"].ndim == 3
        for class_id, part in enumerate(parts):
            np.testing.assert_array_equal(pictures[f"{start}_{part}"], (class_map == class_id) * 255)


def test_only_what_was_seen_on_a_frame_is_written_and_a_frame_without_objects_is_black(tmp_path: Path) -> None:
    results: dict[str, Result] = {"a": objects(), "b": segments()}
    pictures = written(tmp_path, moment(results, 0, frozenset({"a"})), moment({"a": objects()[:0]}, 1))
    assert {name.split("_")[2] for name in pictures if name.startswith("frame_000000")} == {"b"}
    assert [name for name in pictures if name.startswith("frame_000001")] == ["frame_000001_a_colours"]
    assert not pictures["frame_000001_a_colours"].any()


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        # Millimetres, rounded; no further than 16 bits reach; never 0, which is unknown.
        ("metric", [0.0004, 1.2344, 1.2346, 65.535, 80.0, np.nan], [1, 1234, 1235, 65535, 65535, 0]),
        # From the lowest of the picture to its highest.
        ("inverse", [-3.0, 7.0, 2.0, np.nan], [1, 65535, 32768, 0]),
        ("inverse", [5.0, 5.0], [1, 1]),
        ("inverse", [np.nan, np.inf], [0, 0]),
    ],
)
def test_depths_are_millimetres_or_the_whole_of_16_bits(
    kind: Literal["metric", "inverse"], values: list[float], expected: list[int]
) -> None:
    levels = depth_levels(DepthMap("depth_estimation", np.array([values], np.float32), kind))
    assert levels.dtype == np.uint16
    assert levels[0].tolist() == expected


def test_a_depth_map_is_written_with_all_its_bits_and_in_its_colours(tmp_path: Path) -> None:
    values = np.linspace(0.5, 40, INFO.height * INFO.width, dtype=np.float32).reshape(INFO.height, INFO.width)
    values[0, 0] = np.nan
    result = DepthMap("depth_estimation", values, "metric")
    pictures = written(tmp_path, moment({"glpn": result}, 3))
    assert set(pictures) == {"frame_000003_glpn_depth", "frame_000003_glpn_colours"}
    depth = pictures["frame_000003_glpn_depth"]
    assert depth.dtype == np.uint16
    assert depth[0, 0] == 0
    np.testing.assert_allclose(depth.ravel()[1:] / 1000, values.ravel()[1:], atol=0.0006)
    colours = pictures["frame_000003_glpn_colours"]
    np.testing.assert_array_equal(colours[1:], depth_colours(result)[1:])
    assert not colours[0, 0].any()


@pytest.mark.parametrize("spec", ["masks:{}/masks/", "masks:{}/masks.gif"])
def test_a_model_without_masks_is_said_and_nothing_is_left(
    spec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = make_sink(spec.format(tmp_path))
    sink.open(INFO)
    result = moment({"yolox": objects(masks=False)})
    with caplog.at_level(logging.WARNING, "mirilla"):
        sink.write(result.frame.image, result)
        sink.close()
    assert "no model gave masks or depths; choose one that does" in caplog.text
    assert (sink.paths(), list(tmp_path.iterdir())) == ([], [])


def test_the_gif_goes_from_the_picture_to_its_masks_to_the_overlay(tmp_path: Path, ffmpeg: Path, ffprobe: Path) -> None:
    path = tmp_path / "masks.gif"
    sink = make_sink(f"masks:{path}")
    sink.open(INFO)
    overlay = np.full((INFO.height, INFO.width, 3), 200, np.uint8)
    for index in range(2):
        sink.write(overlay, moment({"yolo": objects()}, index))
    sink.close()
    assert sink.paths() == [f"masks:{path}"]
    judge = Judge(ffmpeg, ffprobe)
    assert judge.times(path) == [Fraction(second) for second in range(6)]
    pictures = judge.pictures(path, INFO.width, INFO.height)
    for first in (0, 3):
        original, masks, annotated = pictures[first : first + 3]
        assert (original == 90).all()
        assert (annotated == 200).all()
        np.testing.assert_allclose(masks[:, :20].reshape(-1, 3), [class_colour(2)[::-1]] * 20 * INFO.height, atol=2)
        assert not masks[:, 30:].any()
