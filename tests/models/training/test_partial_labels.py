"""What nobody can judge costs nothing, and all the rest costs what it costs in transformers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers.loss.loss_rt_detr import RTDetrLoss

from models.networks.tiny_rt_detr import DetectorShape, build_detector
from models.training.partial_labels import PartialLabelLoss

SMALL = DetectorShape((8, 8, 8, 8), (2, 2, 2, 2), 16, 16, 2, 6, 4)


def config() -> Any:
    return build_detector(SMALL, ("face", "hand")).config


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def negative(logit: float) -> float:
    """The varifocal loss of a class that is not there: 0.75 p^2, times the cross entropy with 0."""
    p = 1 / (1 + math.exp(-logit))
    return 0.75 * p**2 * softplus(logit)


def positive(logit: float, iou: float) -> float:
    """Of a class that is there: the overlap q, times the cross entropy with q."""
    return iou * (iou * softplus(-logit) + (1 - iou) * softplus(logit))


def vfl(logits: Tensor, complete: list[bool]) -> Tensor:
    """Of one picture with one face that query 0 is matched with, which lies exactly on it."""
    boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.2], [0.2, 0.2, 0.1, 0.1]]])
    target = {"class_labels": torch.tensor([0]), "boxes": boxes[0, :1], "complete": torch.tensor(complete)}
    matched = [(torch.tensor([0]), torch.tensor([0]))]
    loss = PartialLabelLoss(config())
    return loss.loss_labels_vfl({"logits": logits, "pred_boxes": boxes}, [target], matched, 1.0)["loss_vfl"]


@pytest.mark.parametrize(
    ("complete", "expected"),
    [
        # Query 0 is a face with logits (1, 0.5), query 1 is matched with nothing and has (-1, 2).
        ([True, True], positive(1, 1.0) + negative(0.5) + negative(-1) + negative(2)),
        ([True, False], positive(1, 1.0) + negative(-1)),  # hands are not labelled: nobody is blamed for finding them
        ([False, True], positive(1, 1.0) + negative(0.5) + negative(2)),  # some faces are: the one that is counts
        ([False, False], positive(1, 1.0)),
    ],
)
def test_only_what_can_be_judged_costs(complete: list[bool], expected: float) -> None:
    logits = torch.tensor([[[1.0, 0.5], [-1.0, 2.0]]], requires_grad=True)
    loss = vfl(logits, complete)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    judged = torch.tensor([[[True, complete[1]], [complete[0], complete[1]]]])
    assert torch.equal(logits.grad != 0, judged)


def test_with_everything_labelled_it_is_the_loss_of_transformers() -> None:
    torch.manual_seed(0)
    model = build_detector(SMALL, ("face", "hand"))
    labels = [
        {"class_labels": torch.tensor([0, 1]), "boxes": torch.rand(2, 4) * 0.2 + 0.3},
        {"class_labels": torch.zeros(0, dtype=torch.int64), "boxes": torch.zeros(0, 4)},
    ]
    images = torch.rand(2, 3, 64, 64)
    losses = []
    for own in (False, True):
        if own:
            model.loss_function = PartialLabelLoss(model.config).of_outputs
        torch.manual_seed(1)  # the denoising queries are random
        model.train()
        losses.append(model(images, labels=labels))
    theirs, ours = losses
    assert ours.loss.item() == pytest.approx(theirs.loss.item(), rel=1e-5)
    assert ours.loss_dict.keys() == theirs.loss_dict.keys()
    assert {name.split("_dn_")[0] for name in ours.loss_dict} >= {"loss_vfl", "loss_bbox", "loss_giou"}
    assert isinstance(PartialLabelLoss(model.config), RTDetrLoss)
