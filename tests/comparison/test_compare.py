"""Whole comparisons: small models on pictures and clips made by code, real detectors on photographs."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models import Detections, load_model
from models.errors import MirillaError
from stream.comparison.compare import ComparisonOptions, compare_models
from stream.comparison.rows import ComparisonRow
from stream.comparison.side_by_side import Half, SideBySide, side_by_side_wh
from stream.comparison.tables import as_csv, as_markdown
from stream.errors import SinkError
from stream.sinks.partial_file import PartialFile
from tests.evaluation.conftest import yolox
from tests.models.conftest import make_package
from tests.models.stand_in_packages import detector_package
from tests.models.test_real_detectors import Truth, coco_truth, count_matches

__all__ = ["coco_truth", "make_package", "yolox"]


def picture(path: Path, level: int, size_wh: tuple[int, int]) -> None:
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), np.full((size_wh[1], size_wh[0], 3), level, np.uint8))


def test_pictures_of_several_sizes(make_package: Callable[..., Path], tmp_path: Path) -> None:
    picture(tmp_path / "pictures" / "white.png", 255, (64, 48))
    picture(tmp_path / "pictures" / "black.png", 0, (31, 57))
    # The second model says the opposite of the first.
    models = [make_package("plain"), make_package("opposite", class_names=("dark", "bright"))]
    out = tmp_path / "out"
    result = compare_models(
        [str(m) for m in models], [str(tmp_path / "pictures")], ComparisonOptions(out, device="cpu")
    )
    assert [(row.item, row.model, row.frames, row.labels, row.agreement) for row in result.rows] == [
        ("black.png", "plain", 1, "dark", 0.0),
        ("black.png", "opposite", 1, "bright", 0.0),
        ("white.png", "plain", 1, "bright", 0.0),
        ("white.png", "opposite", 1, "dark", 0.0),
        ("all of pictures", "plain", 2, "dark, bright", 0.0),
        ("all of pictures", "opposite", 2, "bright, dark", 0.0),
    ]
    assert all((row.fps is None) == (row.frames == 1) for row in result.rows)
    for name, size_wh in (("black", (31, 57)), ("white", (64, 48))):
        image = cv2.imread(str(out / "pictures" / f"{name}.png"))
        assert image is not None
        assert (image.shape[1], image.shape[0]) == side_by_side_wh(size_wh, 2)
    report = json.loads((out / "comparison.json").read_text())
    with (out / "comparison.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["model"] for row in table] == [row["model"] for row in report["rows"]]
    assert len((out / "comparison.md").read_text().splitlines()) == 4 + len(result.rows) + 2


def test_a_clip(make_package: Callable[..., Path], tmp_path: Path) -> None:
    models = [str(make_package("one")), str(make_package("two"))]
    done: dict[str, list[int]] = {}
    result = compare_models(
        models,
        ["pattern"],
        ComparisonOptions(tmp_path / "out", device="cpu", frames=5),
        lambda what, count, _total: done.setdefault(what, []).append(count),
    )
    assert [(row.frames, row.agreement) for row in result.rows] == [(5, 1.0), (5, 1.0)]
    assert all(row.fps is not None and row.fps > 0 for row in result.rows)
    assert all(row.inference_p50_ms <= row.inference_p95_ms for row in result.rows)
    assert done["pattern side by side"] == [1, 2, 3, 4, 5]
    video = cv2.VideoCapture(str(tmp_path / "out" / "pattern.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 5


def test_false_positives_and_negatives(
    test_data: Path, tmp_path: Path, yolox: Path, coco_truth: tuple[tuple[str, ...], Truth]
) -> None:
    """As many as the detectors' own test counts on annotated photographs; one without annotations has neither."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    files = sorted((test_data / "coco" / "images" / "train2017").glob("*.jpg"))[:6]
    for file in files:
        shutil.copy(file, folder)
    picture(folder / "unknown.png", 128, (64, 64))
    options = ComparisonOptions(
        tmp_path / "out", data=test_data / "coco" / "instances_boxes_train2017.json", threshold=0.3, device="cpu"
    )
    models = [str(yolox), str(test_data / "weights" / "yolov8n_int8.onnx")]
    rows = {(row.item, row.model): row for row in compare_models(models, [str(folder)], options).rows}
    model = load_model(yolox, device="cpu", threshold=0.3)
    wrong = missed = 0
    for file in files:
        image = cv2.imread(str(file))
        assert image is not None
        found = model(np.asarray(image, np.uint8))
        assert isinstance(found, Detections)
        right = count_matches(found, coco_truth[1][file.name])
        row = rows[file.name, "yolox-nano"]
        assert row.objects == len(found)
        assert (row.false_positives, row.false_negatives) == (
            len(found) - right,
            len(coco_truth[1][file.name]) - right,
        )
        wrong, missed = wrong + len(found) - right, missed + len(coco_truth[1][file.name]) - right
    total = rows["all of photographs", "yolox-nano"]
    assert (total.false_positives, total.false_negatives) == (wrong, missed)
    assert missed > 0
    unknown = rows["unknown.png", "yolox-nano"]
    assert (unknown.false_positives, unknown.agreement) == (None, 1.0)


def coco(path: Path, file_name: str, *categories: str) -> Path:
    content = {
        "images": [{"id": 1, "file_name": file_name}],
        "categories": [{"id": number, "name": name} for number, name in enumerate(categories)],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 0, "bbox": [8, 8, 24, 24]}],
    }
    path.write_text(json.dumps(content))
    return path


def test_classes_that_a_model_does_not_know_are_said(tmp_path: Path) -> None:
    """What is left out of a model's errors would otherwise pass for what it does right."""
    picture(tmp_path / "a.png", 128, (64, 64))
    knows = detector_package(tmp_path / "knows", [(8, 8, 32, 32, 0.9, 0)])
    # It knows persons, and cats, which nobody marked.
    knows_less = detector_package(tmp_path / "less", [(8, 8, 32, 32, 0.9, 0)], class_names=("cat", "person"))
    out = tmp_path / "out"
    options = ComparisonOptions(out, data=coco(tmp_path / "coco.json", "a.png", "dog", "person"), device="cpu")
    result = compare_models([str(knows), str(knows_less)], [str(tmp_path / "a.png")], options)
    assert [(row.false_positives, row.false_negatives) for row in result.rows] == [(0, 0), (0, 0)]
    assert result.notes == [
        "less: left out, for the model has no such class: dog",
        "less: the data has no such class, so that finding one counts for nothing: cat",
    ]
    for name in ("comparison.md", "comparison.json"):
        assert all(note in (out / name).read_text() for note in result.notes)


@pytest.mark.parametrize(
    ("file_name", "category", "said"),
    [
        # other pictures than those that are shown
        ("b.png", "dog", "names no picture of the sources"),
        # other classes than those that are found
        ("a.png", "cat", "no class name is also one of the model's"),
    ],
)
def test_annotations_that_do_not_fit_are_said_before_the_first_frame(
    file_name: str, category: str, said: str, tmp_path: Path
) -> None:
    picture(tmp_path / "a.png", 128, (64, 64))
    models = [str(detector_package(tmp_path / name, [(8, 8, 32, 32, 0.9, 0)])) for name in ("one", "two")]
    options = ComparisonOptions(tmp_path / "out", data=coco(tmp_path / "coco.json", file_name, category), device="cpu")
    ran: list[str] = []
    with pytest.raises(MirillaError, match=said):
        compare_models(models, [str(tmp_path / "a.png")], options, lambda what, _done, _total: ran.append(what))
    assert not ran
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("models", "source", "said"),
    [
        # nothing to compare with
        (["quickdraw-32"], "pattern", "two or more"),
        # the same twice
        (["quickdraw-32", "quickdraw-32"], "pattern", "named twice"),
        # no such clip
        (["quickdraw-32", "quickdraw-345"], "nowhere.mp4", "nowhere.mp4"),
    ],
)
def test_what_is_wrong_is_said_and_leaves_nothing(models: list[str], source: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(MirillaError, match=said):
        compare_models(models, [source], ComparisonOptions(tmp_path / "out", device="cpu"))
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="only Linux has /dev/full")
def test_a_full_disk_is_said(
    make_package: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    monkeypatch.setattr(PartialFile, "reserve", lambda _: link)
    models = [str(make_package("one")), str(make_package("two"))]
    # The tables alone: pictures have a test of their sinks.
    monkeypatch.setattr("stream.comparison.compare._draw", lambda *_: [])
    with pytest.raises(SinkError, match=r"comparison\.\w+: the disk is full; free some space or write elsewhere$"):
        compare_models(models, ["pattern"], ComparisonOptions(tmp_path / "out", device="cpu", frames=2))


def test_earlier_output_is_kept(make_package: Callable[..., Path], tmp_path: Path) -> None:
    models = [str(make_package("one")), str(make_package("two"))]
    options = ComparisonOptions(tmp_path / "out", device="cpu", frames=2)
    compare_models(models, ["pattern"], options)
    before = (tmp_path / "out" / "comparison.csv").read_text()
    with pytest.raises(MirillaError, match="--overwrite"):
        compare_models(models, ["pattern"], options)
    assert (tmp_path / "out" / "comparison.csv").read_text() == before
    assert not list((tmp_path / "out").glob("*partial*"))


def frame(width: int, height: int) -> NDArray[np.uint8]:
    image: NDArray[np.uint8] = np.zeros((height, width, 3), np.uint8)
    image[:] = (10, 120, 230)
    return image


@pytest.mark.parametrize(("width", "height"), [(1, 1), (31, 57), (640, 360), (200, 1000)])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_each_half_is_the_frame_under_its_bar(width: int, height: int, count: int) -> None:
    nothing = Detections("t", np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64), ("cat",))
    image = frame(width, height)
    composed = SideBySide().compose(image, [Half(f"model {number}", nothing, 1.5) for number in range(count)])
    assert (composed.shape[1], composed.shape[0]) == side_by_side_wh((width, height), count)
    assert np.array_equal(composed[-height:, :width], image)
    exact = np.all(composed == (10, 120, 230), axis=2).sum()
    assert exact == count * width * height
    assert np.array_equal(image, frame(width, height))


def row(**changes: Any) -> ComparisonRow:
    values: dict[str, Any] = {
        "item": "a.mp4",
        "model": "m",
        "frames": 3,
        "objects": None,
        "labels": "",
        "inference_p50_ms": 1.25,
        "inference_p95_ms": 2.0,
        "fps": None,
        "size_mb": 3.0,
    }
    return ComparisonRow(**(values | changes))


def test_tables_leave_out_empty_columns_and_guard_their_signs() -> None:
    rows = [row(item="a|b,c.mp4", fps=12.34), row(agreement=0.5)]
    markdown = as_markdown(rows, {"device": "CPU"}).splitlines()
    assert markdown[2] == "| image or clip | model | frames | inference p50 ms | p95 ms | FPS | MB | agreement |"
    assert markdown[4] == "| a\\|b,c.mp4 | m | 3 | 1.2 | 2.0 | 12.3 | 3.0 | \N{EN DASH} |"
    assert as_csv(rows, {}).splitlines()[1] == '"a|b,c.mp4",m,3,,,1.25,2.0,12.34,3.0,,,'
