"""Whole evaluations: figures worked by hand on small models, and the papers of the bundled ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.detections import Detections
from models.errors import MirillaError
from models.evaluation.coco_annotations import read_coco
from models.evaluation.detection_evaluation import evaluate_detector
from models.evaluation.evaluate import evaluate
from models.evaluation.evaluation import EvaluationOptions
from models.manifest import read_manifest
from models.model import Model
from models.package import BUNDLED

Save = Callable[[str, NDArray[np.uint8]], Path]


def grey(level: int, width: int = 5, height: int = 3) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def test_class_folders(make_package: Callable[..., Path], save_picture: Save, tmp_path: Path) -> None:
    save_picture("data/Bright/a.png", grey(250))
    save_picture("data/Bright/b.jpg", grey(200))
    save_picture("data/Bright/c.png", grey(10))
    save_picture("data/dark/d.png", grey(0))
    # A class that the model does not know counts for nothing, and is said.
    save_picture("data/pink/e.png", grey(0))
    (tmp_path / "data" / "notes.txt").write_text("no picture")
    result = evaluate(make_package(), tmp_path / "data")
    assert result.pictures == 4
    assert result.figures == pytest.approx({"top1": 3 / 4, "top5": 1.0, "mean_class_top1": (2 / 3 + 1) / 2})
    assert [row["taken for"] for row in result.classes] == ["dark", None]
    assert any("pink" in note for note in result.notes)


@pytest.mark.parametrize(
    ("masks", "classes"),
    [
        # class ids of the model
        ((0, 1), None),
        # 0 and 255, as most annotation programs write masks of one class
        ((0, 255), None),
        # the data's own numbers, one of which the model does not know
        ((2, 0), "BRIGHT\nglass\ndark\n"),
    ],
)
def test_segmentation_folder(
    threshold_package: Path, save_picture: Save, tmp_path: Path, masks: tuple[int, int], classes: str | None
) -> None:
    dark, bright = masks
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:, 2:] = 255  # 8 pixels are found bright, of which 4 are
    mask = np.full((4, 4), dark, np.uint8)
    mask[:2, 2:] = bright
    save_picture("data/images/a.png", picture)
    save_picture("data/masks/a.png", mask)
    if classes:
        (tmp_path / "data" / "classes.txt").write_text(classes)
    result = evaluate(threshold_package, tmp_path / "data")
    # bright: 4 of 8; dark: 8 of 12
    assert result.figures["miou"] == pytest.approx((4 / 8 + 8 / 12) / 2)
    assert result.figures["pixel_accuracy"] == pytest.approx(12 / 16)
    assert {row["class"].lower(): row["iou"] for row in result.classes} == pytest.approx(
        {"bright": 4 / 8, "dark": 8 / 12}
    )


def test_uncounted_pixels_and_palette_masks(threshold_package: Path, save_picture: Save, tmp_path: Path) -> None:
    save_picture("data/images/a.png", grey(255, 4, 4))
    mask = np.array([[1, 1, 1, 1], [0, 0, 1, 1], [255] * 4, [255] * 4], np.uint8)
    (tmp_path / "data" / "masks").mkdir()
    picture = Image.fromarray(mask).convert("P")
    picture.putdata(mask.ravel().tolist())
    picture.putpalette([200, 10, 10] * 256)
    picture.save(tmp_path / "data" / "masks" / "a.png")
    assert evaluate(threshold_package, tmp_path / "data").figures["pixel_accuracy"] == pytest.approx(6 / 8)


@pytest.mark.parametrize(
    ("name", "folder", "held_out"), [("quickdraw-32", "bitmaps", 0.1), ("quickdraw-345", "strokes", 0.2)]
)
def test_bundled_networks_are_as_good_as_their_papers_say(
    test_data: Path, name: str, folder: str, held_out: float
) -> None:
    accuracy = read_manifest(BUNDLED / name).accuracy
    assert accuracy is not None
    result = evaluate(name, test_data / "quickdraw" / folder, EvaluationOptions(held_out=held_out, device="cpu"))
    # A drawing or two may fall on the other side of a tie in another runtime.
    assert result.figures["top1"] == pytest.approx(accuracy["top1"], abs=2 / result.pictures)
    assert result.figures["top5"] == pytest.approx(accuracy["top5"], abs=2 / result.pictures)


def test_yolox_on_photographs(test_data: Path, yolox: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    result = evaluate(
        yolox,
        test_data / "coco" / "instances_boxes_train2017.json",
        EvaluationOptions(score=0.3, device="cpu"),
        lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (128, 128)
    assert result.figures["precision"] == pytest.approx(0.704, abs=0.03)
    assert result.figures["recall"] == pytest.approx(0.408, abs=0.03)
    for name, draw in result.charts.items():
        draw(tmp_path / name)
    chart = np.asarray(Image.open(tmp_path / "precision-recall-boxes.png").convert("L"))
    assert chart.std() > 5
    assert json.loads(json.dumps(result.to_dict()))["settings"]["objects"] == 929


def test_masks_that_a_model_has_not_are_said(test_data: Path, save_picture: Save, tmp_path: Path) -> None:
    save_picture("a.png", grey(0))
    row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2], "segmentation": [[0, 0, 2, 0, 2, 2]]}
    result = evaluate(test_data / "weights" / "yolov8n_int8.onnx", object_file(tmp_path, annotations=[row]))
    assert any("boxes alone" in note for note in result.notes)
    assert "mask_map" not in result.figures


def object_file(tmp_path: Path, **changes: Any) -> Path:
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 5, "height": 3}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]}],
    }
    path = tmp_path / "objects.json"
    path.write_text(json.dumps(content | changes))
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        # not COCO's layout at all
        ({"images": None}, "images: expected a list"),
        # a field is missing
        ({"annotations": [{"id": 1}]}, r"annotations\[0\]: image_id is missing"),
        # an object of no picture
        (
            {"annotations": [{"id": 1, "image_id": 5, "category_id": 1, "bbox": [0, 0, 1, 1]}]},
            "annotation 1: its image",
        ),
        # a box of three numbers
        ({"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1]}]}, "annotation 1: bbox"),
        # pictures elsewhere
        ({"images": [{"id": 1, "file_name": "b.png"}]}, "--images"),
        # pictures at another size than they were annotated at
        ({"images": [{"id": 1, "file_name": "a.png", "width": 10, "height": 6}]}, "a.png is 5x3.*10x6"),
        # not one class in common
        ({"categories": [{"id": 1, "name": "perso"}]}, "no class name is also one of the model's"),
    ],
)
def test_what_is_wrong_with_annotations_is_said(
    test_data: Path, save_picture: Save, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    save_picture("a.png", grey(0))
    with pytest.raises(MirillaError, match=said):
        evaluate(test_data / "weights" / "yolov8n_int8.onnx", object_file(tmp_path, **changes))


def test_data_for_another_model_is_refused(make_package: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(MirillaError, match="one sub-folder a class"):
        evaluate(make_package(), object_file(tmp_path))
    with pytest.raises(MirillaError, match="does not exist"):
        evaluate("quickdraw-32", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        # only Quick, Draw! files are in an order of which the last part was held out
        (EvaluationOptions(held_out=0.1), "--held-out: only Quick, Draw! files"),
        # a folder of pictures names them by itself
        (EvaluationOptions(images=Path("pictures")), "--images: only COCO annotations"),
    ],
)
def test_options_that_would_be_left_out_are_refused(
    make_package: Callable[..., Path], save_picture: Save, tmp_path: Path, options: EvaluationOptions, said: str
) -> None:
    save_picture("data/bright/a.png", grey(255))
    with pytest.raises(MirillaError, match=said):
        evaluate(make_package(), tmp_path / "data", options)


def test_a_mask_of_another_size_is_refused(threshold_package: Path, save_picture: Save, tmp_path: Path) -> None:
    save_picture("data/images/a.png", grey(0, 4, 4))
    save_picture("data/masks/a.png", np.zeros((2, 4), np.uint8))
    with pytest.raises(MirillaError, match="4x4"):
        evaluate(threshold_package, tmp_path / "data")
    save_picture("data/masks/a.png", np.full((4, 4), 9, np.uint8))
    with pytest.raises(MirillaError, match="9 is the number of no class"):
        evaluate(threshold_package, tmp_path / "data")


class BoxesWithMasks:
    """A model by its looks: whatever the picture, a person whose mask is the left half of a box of 40x20."""

    name = "half"
    manifest = SimpleNamespace(class_names=("person",), task="instance_segmentation")

    def __call__(self, image: NDArray[np.uint8]) -> Detections:
        height, width = image.shape[:2]
        mask = np.zeros((1, height, width), np.bool_)
        mask[0, :20, :20] = True
        box = np.array([[0, 0, 40, 20]], np.float32)
        return Detections("t", box, np.array([0.9], np.float32), np.array([0]), ("person",), mask)


@pytest.mark.parametrize(
    ("outline", "boxes", "masks"),
    [
        # both halves are annotated: the box is right at every IoU, the mask at 0.5 alone, of ten
        ([0, 0, 40, 0, 40, 20, 0, 20], 1.0, 0.1),
        # the left half alone, with the same box: now the mask is right everywhere
        ([0, 0, 20, 0, 20, 20, 0, 20], 1.0, 1.0),
    ],
)
def test_masks_are_compared_with_masks(
    save_picture: Save, tmp_path: Path, outline: list[int], boxes: float, masks: float
) -> None:
    save_picture("a.png", grey(0, 60, 50))
    row = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 20], "segmentation": [outline], "area": 800}
    image = {"id": 1, "file_name": "a.png", "width": 60, "height": 50}
    annotations = read_coco(object_file(tmp_path, annotations=[row], images=[image]))
    model = cast("Model", BoxesWithMasks())
    result = evaluate_detector(model, annotations, EvaluationOptions(), lambda _done, _total: None)
    assert result.figures["map"] == pytest.approx(boxes)
    assert result.figures["mask_map"] == pytest.approx(masks)
    assert result.classes[0]["mask_ap"] == pytest.approx(masks)
    assert set(result.charts) == {"precision-recall-boxes.png", "precision-recall-masks.png"}
