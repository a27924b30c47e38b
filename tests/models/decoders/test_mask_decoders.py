"""Query masks written by hand become the objects that they stand for; nonsense in them becomes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import DecodingSpec, Manifest
from models.placement import Placement
from models.results import Detections, ResultFilter
from models.tasks import find_task
from tests.models.decoders.test_decoders import logit

# A pixel of the picture is a cell of the planes.
CELLS = Placement((4, 2), (64, 64), (64, 64))
MakeManifest = Callable[..., Manifest]

PERSON, BICYCLE, NOTHING = [0.9, 0.05, 0.03, 0.02], [0.1, 0.8, 0.05, 0.05], [0.1, 0.1, 0.1, 0.7]


def detections(
    manifest: Manifest, probabilities: Any, planes: Any, placement: Placement = CELLS, **wanted: Any
) -> Detections:
    task = find_task(manifest).make(manifest, ResultFilter(**({"threshold": 0.5} | wanted)))
    named = zip(manifest.outputs, (np.log(probabilities), planes), strict=True)
    result = task.postprocess({name: np.asarray(rows, np.float32)[None] for name, rows in named}, placement)
    assert isinstance(result, Detections)
    return result


def plane(*rows: str) -> NDArray[np.float64]:
    """Mask logits from digits: the probability in tenths."""
    tenths = np.array([[int(digit) for digit in row] for row in rows])
    return np.asarray(np.vectorize(logit)(np.clip(tenths / 10, 0.001, 0.999)))


def drawn(found: Detections) -> list[tuple[str, list[str]]]:
    """Labels, and masks as rows of `#` and `.`."""
    assert found.masks is not None
    pictures = [["".join("#" if pixel else "." for pixel in row) for row in mask] for mask in found.masks]
    return list(zip(found.labels, pictures, strict=True))


@pytest.fixture
def query_masks(manifest: MakeManifest) -> MakeManifest:
    """The manifest of a head of query masks with DETR's outputs."""

    def make(decoder: str = "query_masks", **fields: Any) -> Manifest:
        outputs = ("logits", "pred_masks")
        return manifest(decoder, task="instance_segmentation", **({"outputs": outputs} | fields))

    return make


@pytest.mark.parametrize(
    ("classes", "planes", "least_visible", "expected"),
    [
        # Each pixel is the query's whose probability times score is the greatest: 0.9 * 0.8 before 0.8 * 0.8.
        (
            [PERSON, BICYCLE],
            [plane("8800", "8800"), plane("0888", "0888")],
            0.5,
            [("person", ["##..", "##.."]), ("bicycle", ["..##", "..##"])],
        ),
        # Two thirds of the bicycle are left, which is not enough by transformers' measure.
        ([PERSON, BICYCLE], [plane("8800", "8800"), plane("0888", "0888")], 0.8, [("person", ["##..", "##.."])]),
        # What is no object claims nothing.
        ([NOTHING, BICYCLE], [plane("9999", "9999"), plane("0990", "0990")], 0.5, [("bicycle", ["####", "####"])]),
        # A mask that is nowhere likely is none.
        ([PERSON, BICYCLE], [plane("9900", "9900"), plane("0011", "0011")], 0.0, [("person", ["##..", "##.."])]),
    ],
)
def test_every_pixel_goes_to_one_query(
    query_masks: MakeManifest, classes: Any, planes: Any, least_visible: float, expected: list[Any]
) -> None:
    fields = query_masks(decoding=DecodingSpec(least_visible=least_visible))
    assert drawn(detections(fields, classes, planes)) == expected


def test_objects_of_maskformer_may_overlap(query_masks: MakeManifest) -> None:
    fields = query_masks("maskformer_instances", outputs=("class_queries_logits", "masks_queries_logits"))
    found = detections(fields, [BICYCLE, PERSON], [plane("0888", "0888"), plane("9600", "9600")])
    assert drawn(found) == [("person", ["##..", "##.."]), ("bicycle", [".###", ".###"])]
    # The class's score times the mean of the mask's: 0.9 * 0.75 and 0.8 * 0.8.
    assert found.scores.tolist() == pytest.approx([0.675, 0.64], abs=1e-4)
    assert found.boxes_xyxy.tolist() == [[0, 0, 2, 2], [1, 0, 4, 2]]


@pytest.mark.parametrize("decoder", ["query_masks", "maskformer_instances"])
@pytest.mark.parametrize(
    ("classes", "planes", "wanted"),
    [
        ([NOTHING], [plane("9999", "9999")], {}),
        ([[np.nan] * 4], [plane("9999", "9999")], {"threshold": 0.0}),
        ([PERSON], [np.full((2, 4), np.nan)], {}),
        ([PERSON], [plane("0000", "0000")], {}),
        ([PERSON], [plane("9999", "9999")], {"classes": frozenset({"bicycle"})}),
        (np.zeros((0, 4)), np.zeros((0, 2, 4)), {}),
    ],
    ids=["no object", "no numbers", "no mask that is numbers", "no mask", "not wanted", "no query"],
)
def test_nothing_is_an_empty_result(
    query_masks: MakeManifest, decoder: str, classes: Any, planes: Any, wanted: dict[str, Any]
) -> None:
    found = detections(query_masks(decoder), classes, planes, **wanted)
    assert found.masks is not None
    assert found.masks.shape == (0, 2, 4)


@pytest.mark.parametrize("decoder", ["query_masks", "maskformer_instances"])
def test_a_letterbox_and_a_tiny_picture_find_back(query_masks: MakeManifest, decoder: str) -> None:
    # The picture is the left half of the input.
    half = Placement((8, 8), (64, 64), (32, 64))
    found = detections(query_masks(decoder), [PERSON], [plane("0999", "0999", "0999", "0999")], half)
    if decoder == "maskformer_instances":
        assert drawn(found) == [("person", ["....####"] * 8)]
    pixel = Placement((1, 1), (64, 64), (64, 64))
    assert drawn(detections(query_masks(decoder), [PERSON], [plane("9999", "9999")], pixel)) == [("person", ["#"])]


@pytest.mark.parametrize(
    ("classes", "planes", "message"),
    [
        ([PERSON[:3]], [plane("9999")], r"logits: query_masks with 3 class names expects \(1, 1, 4\), got \(1, 1, 3\)"),
        ([PERSON], [[0.0]], r"pred_masks: query_masks .* expects \(1, 'queries', 'height', 'width'\), got \(1, 1, 1\)"),
    ],
)
def test_outputs_of_another_shape_are_named(query_masks: MakeManifest, classes: Any, planes: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        detections(query_masks(), classes, planes)


def test_an_output_that_is_not_there_is_named(query_masks: MakeManifest) -> None:
    with pytest.raises(ModelError, match="outputs: query_masks needs 'masks_queries_logits'; export the model again"):
        detections(query_masks(outputs=("class_queries_logits", "other")), [PERSON], [plane("9999")])
