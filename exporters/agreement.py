"""How far two sets of outputs say the same: one measure a task, a share 0..1 of what they decode to.

Called by the parity gate with PyTorch's outputs and ONNX Runtime's for the same inputs. Names and shapes of the outputs
are those of transformers' heads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Outputs = Mapping[str, NDArray[Any]]

_BOXES_COMPARED = 100
_TOP = 5


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near two results have to be to be called alike.

    Attributes:
        min_iou: of two boxes.
        score_gap: between their scores.
        score_share: of the best score; boxes below it are not compared.
        depth_gap: between two depths, as a share of the map's range.
        min_cosine: between two embeddings.
    """

    min_iou: float = 0.98
    score_gap: float = 0.01
    score_share: float = 0.0
    depth_gap: float = 0.01
    min_cosine: float = 0.9999


STRICT = Likeness()

Agreement = Callable[[Outputs, Outputs, Likeness], dict[str, float]]
"""Expected and got to shares by what was compared: `{"boxes": 1.0}`; empty where these outputs decode to nothing."""


def boxes(expected: Outputs, got: Outputs, likeness: Likeness) -> dict[str, float]:
    """Share of the best detections that the other side has too: of the same class, in the same place, as likely.

    Matched as sets: which query finds an object is chance where a detector ranks its queries.
    """
    shares = []
    for row in range(len(expected["logits"])):
        wanted, found = (_best_boxes(outputs["logits"][row], outputs["pred_boxes"][row]) for outputs in (expected, got))
        alike = _alike(wanted, found, likeness)
        matched = alike[linear_sum_assignment(alike, maximize=True)]
        counted = wanted[1] >= likeness.score_share * wanted[1].max()
        shares.append(matched[counted].mean())
    return {"boxes": float(np.mean(shares))}


def _best_boxes(
    logits: NDArray[Any], boxes_cxcywh: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Boxes xyxy (K, 4), scores (K,) and classes (K,) of the best queries, by softmax or sigmoid order alike."""
    scores = 1 / (1 + np.exp(-logits.astype(np.float64)))
    order = np.argsort(-scores.max(axis=-1), kind="stable")[:_BOXES_COMPARED]
    center, size = boxes_cxcywh[order, :2].astype(np.float64), boxes_cxcywh[order, 2:].astype(np.float64)
    corners = np.concatenate([center - size / 2, center + size / 2], axis=1)
    return corners, scores[order].max(axis=-1), scores[order].argmax(axis=-1)


def _alike(wanted: tuple[NDArray[Any], ...], found: tuple[NDArray[Any], ...], likeness: Likeness) -> NDArray[np.bool_]:
    """Bool (W, F): which detections of one side may be which of the other."""
    (boxes_w, scores_w, classes_w), (boxes_f, scores_f, classes_f) = wanted, found
    low = np.maximum(boxes_w[:, None, :2], boxes_f[None, :, :2])
    high = np.minimum(boxes_w[:, None, 2:], boxes_f[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    area_w, area_f = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (boxes_w, boxes_f))
    union = area_w[:, None] + area_f[None] - shared
    # Boxes without an area have no IoU; they are alike where they lie alike.
    same_place = np.abs(boxes_w[:, None] - boxes_f[None]).max(axis=-1) < 1e-4
    overlap = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0) >= likeness.min_iou
    same_class = classes_w[:, None] == classes_f[None]
    as_likely = np.abs(scores_w[:, None] - scores_f[None]) <= likeness.score_gap
    return np.asarray((overlap | same_place) & same_class & as_likely)


def pixels(expected: Outputs, got: Outputs, likeness: Likeness) -> dict[str, float]:  # noqa: ARG001 - Agreement
    """Share of pixels of the logits' map with the same best class; one plane alone means yes above zero."""
    wanted, found = expected["logits"], got["logits"]
    if wanted.shape[1] == 1:
        return {"pixels": float(((wanted > 0) == (found > 0)).mean())}
    return {"pixels": float((wanted.argmax(axis=1) == found.argmax(axis=1)).mean())}


def masks(expected: Outputs, got: Outputs, likeness: Likeness) -> dict[str, float]:  # noqa: ARG001 - Agreement
    """Share of mask pixels on the same side of zero, and of queries with the same class where they have one.

    Empty for SAM's image encoder, which finds no masks.
    """
    shares = {}
    for name in ("masks_queries_logits", "pred_masks"):
        if name in expected:
            shares["pixels"] = float(((expected[name] > 0) == (got[name] > 0)).mean())
    for name in ("class_queries_logits", "logits"):
        if name in expected:
            shares["classes"] = float((expected[name].argmax(axis=-1) == got[name].argmax(axis=-1)).mean())
    return shares


def classes(expected: Outputs, got: Outputs, likeness: Likeness) -> dict[str, float]:  # noqa: ARG001 - Agreement
    """Share of pictures with the same best class, and share of the five best classes that both sides have."""
    wanted, found = (np.argsort(-outputs["logits"], axis=-1, kind="stable")[:, :_TOP] for outputs in (expected, got))
    common = [len(set(w) & set(f)) / len(w) for w, f in zip(wanted.tolist(), found.tolist(), strict=True)]
    return {"top1": float((wanted[:, 0] == found[:, 0]).mean()), "top5": float(np.mean(common))}


def zero_shot(expected: Outputs, got: Outputs, likeness: Likeness) -> dict[str, float]:
    """As `classes` where texts are fixed; else the share of pictures or texts whose embeddings point the same way."""
    if "logits" in expected:
        return classes(expected, got, likeness)
    shares = {}
    for name, what in (("image_embeds", "pictures"), ("text_embeds", "texts")):
        if name in expected:
            cosines = (expected[name] * got[name]).sum(axis=-1)
            lengths = np.linalg.norm(expected[name], axis=-1) * np.linalg.norm(got[name], axis=-1)
            shares[what] = float((cosines >= likeness.min_cosine * lengths).mean())
    return shares


def depth(expected: Outputs, got: Outputs, likeness: Likeness) -> dict[str, float]:
    """Share of pixels whose depth differs by at most the allowed share of the map's range."""
    wanted, found = expected["predicted_depth"], got["predicted_depth"]
    allowed = likeness.depth_gap * max(float(np.ptp(wanted)), float(np.finfo(np.float32).tiny))
    return {"pixels": float((np.abs(wanted - found) <= allowed).mean())}


def keypoints(expected: Outputs, got: Outputs, likeness: Likeness) -> dict[str, float]:  # noqa: ARG001 - Agreement
    """Share of heatmaps whose peak lies on the same cell."""
    wanted, found = (
        outputs["heatmaps"].reshape(*outputs["heatmaps"].shape[:2], -1).argmax(-1) for outputs in (expected, got)
    )
    return {"peaks": float((wanted == found).mean())}
