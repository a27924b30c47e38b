"""Finding packages: what is right is found, what is wrong is named with its mend."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import load_model
from models.errors import ModelError
from models.manifest import InputSpec, read_manifest
from models.package import bundled_names, find_package
from tests.models.conftest import PARITY, brightness_graph


def edit(package: Path, **fields: Any) -> None:
    path = package / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | fields), encoding="utf-8")


def test_a_package_is_found_by_its_folder_and_by_its_model_file(make_package: Callable[..., Path]) -> None:
    folder = make_package()
    by_folder, by_file = find_package(folder), find_package(folder / "model.onnx")
    assert by_folder.manifest == by_file.manifest == read_manifest(folder)


def test_bundled_packages_are_found_by_name() -> None:
    assert "quickdraw-32" in bundled_names()
    for name in bundled_names():
        assert find_package(name).manifest.name == name


def break_missing_model(package: Path) -> None:
    (package / "model.onnx").unlink()


def break_bytes(package: Path) -> None:
    with (package / "model.onnx").open("ab") as file:
        file.write(b"x")


def break_json(package: Path) -> None:
    (package / "manifest.json").write_text("{", encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_missing_model, "model.onnx is missing"),
        (break_bytes, "does not have the sha256 of its manifest"),
        (break_json, "manifest.json: file: Invalid JSON"),
        (lambda p: edit(p, colour="red"), "manifest.json: colour: Extra inputs are not permitted"),
        (lambda p: edit(p, input={}), "manifest.json: input.height: Field required"),
        (lambda p: edit(p, opset="ten"), "manifest.json: opset: Input should be a valid integer"),
        (lambda p: edit(p, parity=None), "did not pass its parity check"),
        (lambda p: edit(p, parity=PARITY.model_dump() | {"passed": False}), "did not pass its parity check"),
    ],
)
def test_a_damaged_package_says_what_is_wrong(
    make_package: Callable[..., Path], damage: Callable[[Path], None], message: str
) -> None:
    folder = make_package()
    damage(folder)
    with pytest.raises(ModelError, match=message) as caught:
        find_package(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_package_that_failed_its_parity_check_loads_when_the_user_insists(
    make_package: Callable[..., Path],
) -> None:
    folder = make_package(parity=PARITY.model_copy(update={"passed": False}))
    assert find_package(folder, unverified=True).manifest.parity is not None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task": "mind_reading"}, "task: 'mind_reading' is not one of .*image_classification.*; update Mirilla"),
        ({"task": "prompted_segmentation"}, "answers points and boxes that somebody .*; take mirilla segment"),
        ({"decoder": "tarot"}, r"decoder: 'tarot' is none that image_classification has \(probabilities, softmax\)"),
        ({"outputs": ("probs",)}, "outputs: the graph has no 'probs'"),
        (
            {
                "input": InputSpec(
                    name="x", height=2, width=2, channels=1, colour_order="gray", resize="stretch", mean=(0,), std=(1,)
                )
            },
            r"input.name: 'x' is none of the graph's inputs \(pixel_values\)",
        ),
        (
            {
                "input": InputSpec(
                    height=8, width=2, channels=1, colour_order="gray", resize="stretch", mean=(0,), std=(1,)
                )
            },
            r"input: the manifest makes \(1, 1, 8, 2\), the graph takes \('any', 1, 2, 2\)",
        ),
        (
            {
                "input": InputSpec(
                    height=2, width=2, channels=1, colour_order="gray", resize="ink_crop", mean=(0,), std=(1,)
                )
            },
            r"input.resize: 'ink_crop' is none that image_classification has \(stretch, shortest_edge_center_crop",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_its_graph_or_this_version_is_named(
    make_package: Callable[..., Path], fields: dict[str, Any], message: str
) -> None:
    folder = make_package(**fields)
    with pytest.raises(ModelError, match=message):
        load_model(folder, device="cpu")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("quickdraw-23", "did you mean 'quickdraw-32'?"),
        ("no-such-model", "is neither a bundled model nor a file or folder; bundled are .*quickdraw-32"),
    ],
)
def test_a_name_that_means_nothing_is_answered_with_those_that_do(spec: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        find_package(spec)


def test_a_folder_without_papers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds neither manifest.json nor config.json"):
        find_package(tmp_path)


def test_a_file_that_is_no_onnx_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_text("hello", encoding="utf-8")
    with pytest.raises(ModelError, match=r"no ONNX model that runs here") as caught:
        find_package(path)
    assert "\n" not in str(caught.value)


def test_an_onnx_file_without_manifest_and_metadata_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "anonymous.onnx"
    brightness_graph(path)
    with pytest.raises(ModelError, match=r"no manifest.json beside it and no Ultralytics metadata inside"):
        find_package(path)


def test_ultralytics_metadata_becomes_a_manifest(test_data: Path) -> None:
    package = find_package(test_data / "weights" / "yolov8n_int8.onnx")
    manifest = package.manifest
    assert (manifest.task, manifest.decoder) == ("object_detection", "ultralytics_grid")
    assert (manifest.input.name, manifest.input.height, manifest.input.width) == ("images", 640, 640)
    assert manifest.input.resize == "letterbox_center"
    assert len(manifest.class_names) == 80
    assert manifest.class_names[0] == "person"
    assert manifest.class_names[79] == "toothbrush"
    assert manifest.source.licence is not None
    assert manifest.source.licence.startswith("AGPL-3.0")
    assert manifest.opset == 12


ULTRALYTICS = {
    "task": "classify",
    "names": "{0: 'bright', 1: 'dark'}",
    "imgsz": "[2, 2]",
    "args": "{'opset': 18}",
    "description": "a stand-in",
}


def test_an_ultralytics_classifier_runs_by_its_own_metadata(tmp_path: Path) -> None:
    path = tmp_path / "shade.onnx"
    brightness_graph(path, channels=3, metadata=ULTRALYTICS)
    result = load_model(path, device="cpu")(np.full((5, 9, 3), 51, np.uint8))
    # Levels 0..1 go in, and scores come out as they are; the one of `dark`, -0.2, is below every threshold.
    assert result.to_dict()["labels"] == [{"label": "bright", "score": 0.2}]


@pytest.mark.parametrize(
    ("arguments", "precision"),
    [
        ("{}", "fp32"),
        ("{'half': False, 'quantize': None}", "fp32"),
        # As Ultralytics wrote it until 8.3, and since.
        ("{'half': True}", "fp16"),
        ("{'quantize': 16}", "fp16"),
    ],
)
def test_an_ultralytics_file_says_its_precision(tmp_path: Path, arguments: str, precision: str) -> None:
    brightness_graph(tmp_path / "shade.onnx", channels=3, metadata=ULTRALYTICS | {"args": arguments})
    assert find_package(tmp_path / "shade.onnx").manifest.precision == precision


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"names": "{0: 'bright'"}, "metadata: 'names' is missing or unreadable"),
        ({"task": "obb"}, "task: Ultralytics' 'obb' is none of detect, segment, classify"),
        ({"imgsz": "[0, 2]"}, "metadata: height: Input should be greater than or equal to 1"),
    ],
)
def test_ultralytics_metadata_that_is_wrong_is_named(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    path = tmp_path / "shade.onnx"
    brightness_graph(path, channels=3, metadata=ULTRALYTICS | metadata)
    with pytest.raises(ModelError, match=message):
        find_package(path)


def test_a_moved_package_still_loads(make_package: Callable[..., Path], tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "piña y león"
    shutil.move(make_package(), moved)
    assert load_model(moved, device="cpu").name == "brightness"


@pytest.mark.parametrize(
    ("metadata", "task", "decoder"),
    [
        ({"task": "detect"}, "object_detection", "ultralytics_grid"),
        ({"task": "segment"}, "instance_segmentation", "ultralytics_grid"),
        ({"task": "detect", "end2end": "True"}, "object_detection", "ultralytics_end_to_end"),
        # Exported with NMS in the graph.
        ({"task": "segment", "args": "{'nms': True}"}, "instance_segmentation", "ultralytics_end_to_end"),
        ({"task": "detect", "args": "{'nms': False}", "end2end": "False"}, "object_detection", "ultralytics_grid"),
    ],
)
def test_an_ultralytics_file_says_which_head_it_has(
    tmp_path: Path, metadata: dict[str, str], task: str, decoder: str
) -> None:
    path = tmp_path / "detector.onnx"
    brightness_graph(path, channels=3, metadata=ULTRALYTICS | metadata)
    manifest = find_package(path).manifest
    assert (manifest.task, manifest.decoder) == (task, decoder)
