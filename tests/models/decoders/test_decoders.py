"""Each family's outputs, written by hand, become the boxes that they stand for; nonsense in them becomes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.decoders import decoder_kinds
from models.errors import ModelError
from models.manifest import Manifest
from models.placement import Placement
from models.results import Detections, ResultFilter
from models.tasks import find_task

SQUARE = Placement((64, 64), (64, 64), (64, 64))
MakeManifest = Callable[..., Manifest]


def decoded(
    manifest: Manifest, outputs: dict[str, Any], placement: Placement = SQUARE, **wanted: Any
) -> list[tuple[str, float, list[float]]]:
    """What the task reports: label, score and box a row."""
    result = detections(manifest, outputs, placement, **wanted)
    rows = zip(result.labels, result.scores.tolist(), result.boxes_xyxy.tolist(), strict=True)
    return [(label, round(score, 4), box) for label, score, box in rows]


def detections(manifest: Manifest, outputs: dict[str, Any], placement: Placement = SQUARE, **wanted: Any) -> Detections:
    task = find_task(manifest).make(manifest, ResultFilter(**({"threshold": 0.5} | wanted)))
    batch = {name: np.asarray(rows, np.float32)[None] for name, rows in outputs.items()}
    result = task.postprocess(batch, placement)
    assert isinstance(result, Detections)
    return result


def logit(score: float) -> float:
    return float(np.log(score / (1 - score)))


def test_detr_takes_the_best_class_that_is_not_the_last(manifest: MakeManifest) -> None:
    outputs = {
        "logits": np.log([[0.7, 0.1, 0.1, 0.1], [0.05, 0.1, 0.75, 0.1], [0.1, 0.1, 0.2, 0.6]]),
        "pred_boxes": [[0.5, 0.5, 0.5, 0.25], [0.25, 0.25, 0.5, 0.5], [0.5, 0.5, 1, 1]],
    }
    fields = manifest("detr_softmax", outputs=("logits", "pred_boxes"))
    assert decoded(fields, outputs) == [("león", 0.75, [0, 0, 32, 32]), ("person", 0.7, [16, 24, 48, 40])]


def test_sigmoid_topk_lets_a_query_name_two_classes(manifest: MakeManifest) -> None:
    outputs = {
        "logits": [[logit(0.8), logit(0.1), logit(0.6)], [logit(0.05), logit(0.3), logit(0.05)]],
        "pred_boxes": [[0.5, 0.5, 0.5, 0.25], [0.25, 0.25, 0.5, 0.5]],
    }
    fields = manifest("sigmoid_topk", outputs=("logits", "pred_boxes"))
    box = [16, 24, 48, 40]
    assert decoded(fields, outputs) == [("person", 0.8, box), ("león", 0.6, box)]
    # Two queries give two objects, so that the second query's own best is none of them.
    assert decoded(fields, outputs, threshold=0.0) == decoded(fields, outputs)


def grid(*cells: list[float]) -> dict[str, Any]:
    return {"output0": np.array(cells).T}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        # Two cells on one person, one on a bicycle in the same place.
        (
            [[32, 32, 20, 20, 0.9, 0, 0], [33, 32, 20, 20, 0.8, 0, 0], [32, 32, 20, 20, 0, 0.7, 0]],
            [("person", 0.9, [22, 22, 42, 42]), ("bicycle", 0.7, [22, 22, 42, 42])],
        ),
        # A cell names its best class only.
        ([[32, 32, 20, 20, 0.6, 0.7, 0.65]], [("bicycle", 0.7, [22, 22, 42, 42])]),
        # Overlap of 20 of 60 is below one half: both stay.
        (
            [[32, 32, 20, 20, 0.9, 0, 0], [42, 32, 20, 20, 0.8, 0, 0]],
            [("person", 0.9, [22, 22, 42, 42]), ("person", 0.8, [32, 22, 52, 42])],
        ),
        # Out of the picture: clipped; wholly out: nothing.
        (
            [[0, 60, 20, 20, 0.9, 0, 0], [-20, 32, 10, 10, 0.9, 0, 0]],
            [("person", 0.9, [0, 50, 10, 64])],
        ),
        # The threshold itself passes; below it does not.
        ([[32, 32, 20, 20, 0.5, 0, 0], [10, 10, 4, 4, 0.4999, 0, 0]], [("person", 0.5, [22, 22, 42, 42])]),
        # What is no number is no object, and takes nothing with it.
        (
            [
                [np.nan, 32, 20, 20, 0.9, 0, 0],
                [32, 32, np.inf, 20, 0.9, 0, 0],
                [32, 32, 20, 20, np.nan, 0, 0],
                [32, 32, 20, 20, np.inf, 0, 0],
                [32, 32, 20, 20, 0.6, 0, 0],
            ],
            [("person", 0.6, [22, 22, 42, 42])],
        ),
        # A negative size is no box.
        ([[32, 32, -20, 20, 0.9, 0, 0]], []),
        ([], []),
    ],
)
def test_ultralytics_grid(
    manifest: MakeManifest, cells: list[list[float]], expected: list[tuple[str, float, list[float]]]
) -> None:
    outputs = grid(*cells) if cells else {"output0": np.empty((7, 0))}
    assert decoded(manifest("ultralytics_grid"), outputs) == expected


def test_nms_across_classes_only_where_it_is_asked_for(manifest: MakeManifest) -> None:
    outputs = grid([32, 32, 20, 20, 0.9, 0, 0], [32, 32, 20, 20, 0, 0.7, 0])
    assert [row[0] for row in decoded(manifest("ultralytics_grid"), outputs)] == ["person", "bicycle"]
    agnostic = manifest("ultralytics_grid", decoding={"class_agnostic_nms": True})
    assert [row[0] for row in decoded(agnostic, outputs)] == ["person"]


def test_the_nms_threshold_is_the_manifest_s(manifest: MakeManifest) -> None:
    # 15 of 25 columns are shared: 0.6.
    outputs = grid([32, 32, 20, 20, 0.9, 0, 0], [37, 32, 20, 20, 0.8, 0, 0])
    assert len(decoded(manifest("ultralytics_grid", decoding={"nms_iou": 0.65}), outputs)) == 2
    assert len(decoded(manifest("ultralytics_grid", decoding={"nms_iou": 0.55}), outputs)) == 1


def test_end_to_end_rows_are_taken_as_they_are(manifest: MakeManifest) -> None:
    rows = [
        [10, 20, 30, 40, 0.6, 2],
        [11, 20, 30, 40, 0.9, 2],  # overlaps: no NMS
        [0, 0, 0, 0, 0, 0],  # the filling of heads that found less
        [1, 1, 9, 9, 0.8, 7],  # a class without a name
        [1, 1, 9, 9, 0.8, np.nan],
        [1, np.inf, 9, 9, 0.8, 1],
    ]
    assert decoded(manifest("ultralytics_end_to_end"), {"output0": rows}) == [
        ("león", 0.9, [11, 20, 30, 40]),
        ("león", 0.6, [10, 20, 30, 40]),
    ]


def yolox_reference(rows: np.ndarray[Any, np.dtype[np.float64]], side: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Boxes and scores of every cell, cell by cell, as the paper says it."""
    decoded_rows, index = [], 0
    for stride in (8, 16, 32):
        for y in range(side // stride):
            for x in range(side // stride):
                dx, dy, log_width, log_height, objectness, *classes = rows[index]
                centre_x, centre_y = (dx + x) * stride, (dy + y) * stride
                half_width, half_height = np.exp(log_width) * stride / 2, np.exp(log_height) * stride / 2
                best = int(np.argmax(classes))
                decoded_rows.append(
                    [
                        centre_x - half_width,
                        centre_y - half_height,
                        centre_x + half_width,
                        centre_y + half_height,
                        objectness * classes[best],
                        best,
                    ]
                )
                index += 1
    assert index == len(rows)
    return np.array(decoded_rows)


def test_yolox_cells_are_decoded_by_their_grids(manifest: MakeManifest) -> None:
    rng = np.random.default_rng(5)
    rows = np.concatenate([rng.uniform(0.2, 0.8, (84, 4)), rng.uniform(0.72, 1, (84, 4))], axis=1)
    # No box is dropped for another, so that all 84 cells are compared.
    found = detections(manifest("yolox", decoding={"nms_iou": 1.0}), {"output0": rows})
    expected = yolox_reference(rows, 64)
    expected = expected[np.argsort(-expected[:, 4])]
    np.testing.assert_allclose(found.boxes_xyxy, expected[:, :4].clip(0, 64), atol=1e-3)
    np.testing.assert_allclose(found.scores, expected[:, 4], rtol=1e-6)
    np.testing.assert_array_equal(found.class_ids, expected[:, 5])


def test_yolox_cells_that_are_no_numbers_are_nothing(manifest: MakeManifest) -> None:
    rows = np.zeros((84, 8))
    rows[0] = [0, 0, 500, 0, 1, 1, 0, 0]  # exp(500) is above every float32
    rows[1] = [np.nan, 0, 0, 0, 1, 1, 0, 0]
    rows[2] = [0, 0, 0, 0, np.inf, 1, 0, 0]
    rows[3] = [0.5, 0.5, 0, 0, 0.9, 0, 1, 0]
    assert decoded(manifest("yolox"), {"output0": rows}) == [("bicycle", 0.9, [24, 0, 32, 8])]


@pytest.mark.parametrize("decoder", ["detr_softmax", "sigmoid_topk"])
def test_queries_that_are_no_numbers_are_nothing(manifest: MakeManifest, decoder: str) -> None:
    columns = 4 if decoder == "detr_softmax" else 3
    logits = np.full((4, columns), -5.0)
    logits[0] = np.nan
    logits[1, 0], logits[2, 1], logits[3, 2] = 5, 5, 5
    boxes = np.array([[0.5, 0.5, 0.5, 0.5]] * 4)
    boxes[1, 2] = np.nan
    boxes[2, 0] = np.inf
    fields = manifest(decoder, outputs=("logits", "pred_boxes"))
    found = decoded(fields, {"logits": logits, "pred_boxes": boxes})
    assert [(label, box) for label, _, box in found] == [("león", [16, 16, 48, 48])]


def test_boxes_come_back_to_the_picture_through_the_letterbox(manifest: MakeManifest) -> None:
    # A picture of 256x128 lies at half a quarter of its size in rows 16 to 48.
    placement = Placement((256, 128), (64, 64), (64, 32), (0, 16))
    outputs = grid([32, 32, 16, 8, 0.9, 0, 0], [32, 8, 16, 8, 0.9, 0, 0])
    # The second lies in the grey above the picture.
    assert decoded(manifest("ultralytics_grid"), outputs, placement) == [("person", 0.9, [96, 48, 160, 80])]


def test_only_what_is_wanted_comes_back(manifest: MakeManifest) -> None:
    outputs = grid([10, 10, 4, 4, 0.9, 0, 0], [20, 20, 4, 4, 0, 0.8, 0], [30, 30, 4, 4, 0, 0.7, 0])
    fields = manifest("ultralytics_grid")
    bicycles = frozenset({"bicycle"})
    assert [row[1] for row in decoded(fields, outputs, classes=bicycles)] == [0.8, 0.7]
    assert [row[1] for row in decoded(fields, outputs, classes=bicycles, max_detections=1)] == [0.8]


@pytest.mark.parametrize("decoder", ["ultralytics_grid", "ultralytics_end_to_end"])
def test_masks_are_prototypes_weighed_and_cut_off_at_the_box(manifest: MakeManifest, decoder: str) -> None:
    # The left half of the input, and the top half; both at a quarter of its resolution.
    protos = np.full((2, 16, 16), -1.0)
    protos[0, :, :8] = 1
    protos[1, :8] = 1
    # One object is the left half, the other what is not the top half.
    weights = [[1, 0], [0, -1]]
    if decoder == "ultralytics_grid":
        rows = grid([24, 32, 32, 16, 0.9, 0, 0, *weights[0]], [40, 32, 32, 32, 0, 0.8, 0, *weights[1]])["output0"]
    else:
        rows = np.array([[8, 24, 40, 40, 0.9, 0, *weights[0]], [24, 16, 56, 48, 0.8, 1, *weights[1]]])
    fields = manifest(decoder, task="instance_segmentation", outputs=("output0", "output1"))
    # A picture of 128x128, letterboxed without margins: everything is twice as large.
    found = detections(fields, {"output0": rows, "output1": protos}, Placement((128, 128), (64, 64), (64, 64)))
    assert found.task == "instance_segmentation"
    expected = np.zeros((2, 128, 128), np.bool_)
    expected[0, 48:80, 16:64] = True
    expected[1, 64:96, 48:112] = True
    assert found.masks is not None
    np.testing.assert_array_equal(found.masks, expected)


def test_no_object_has_no_masks(manifest: MakeManifest) -> None:
    fields = manifest("ultralytics_grid", task="instance_segmentation", outputs=("output0", "output1"))
    found = detections(fields, {"output0": np.zeros((9, 5)), "output1": np.zeros((2, 16, 16))})
    assert found.masks is not None
    assert found.masks.shape == (0, 64, 64)


@pytest.mark.parametrize(
    ("decoder", "outputs", "message"),
    [
        (
            "ultralytics_grid",
            {"output0": np.zeros((84, 10))},
            "with 3 class names expects (1, 7, 'cells'), got (1, 84, 10)",
        ),
        ("ultralytics_end_to_end", {"output0": np.zeros((300, 7))}, "expects (1, 'objects', 6), got (1, 300, 7)"),
        ("yolox", {"output0": np.zeros((84, 85))}, "expects (1, 84, 8), got (1, 84, 85)"),
        ("detr_softmax", {"output0": np.zeros((9, 9))}, "outputs: detr_softmax needs 'logits'"),
        (
            "sigmoid_topk",
            {"logits": np.zeros((9, 92)), "pred_boxes": np.zeros((9, 4))},
            "logits: sigmoid_topk with 3 class names expects (9, 3), got (9, 92)",
        ),
    ],
)
def test_outputs_that_are_not_the_decoder_s_are_said_in_one_line(
    manifest: MakeManifest, decoder: str, outputs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        decoded(manifest(decoder), outputs)
    assert "\n" not in str(caught.value)
    assert "hand-written" in str(caught.value)


def test_a_resize_rule_that_is_none_of_the_detectors_is_refused(manifest: MakeManifest) -> None:
    ink = {"height": 64, "width": 64, "resize": "ink_crop"}
    with pytest.raises(ModelError, match=r"input.resize: 'ink_crop' is none that object_detection has \(stretch, "):
        decoded(manifest("yolox", input=ink), {})


def test_every_decoder_is_tested_here() -> None:
    tested = {"detr_softmax", "sigmoid_topk", "ultralytics_grid", "ultralytics_end_to_end", "yolox"}
    assert set(decoder_kinds()) == tested
