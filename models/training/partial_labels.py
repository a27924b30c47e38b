"""RT-DETR's loss for pictures of which only some classes are labelled.

transformers' own loss, given logits in which what nobody can judge has been made to cost nothing: of a class that a
picture does not label completely, only the queries that were matched with one of its boxes count. Unmatched queries
may look like such a class without being punished, for there may be one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.loss.loss_rt_detr import RTDetrLoss

_NO_COST = -1e4
"""A logit for which the sigmoid is 0 and the loss of a target of 0 is 0, exactly, in float32 and bfloat16."""


class PartialLabelLoss(RTDetrLoss):
    """`of_outputs` is to be set as `model.loss_function`; each of the `labels` has a key `complete`, bool (C,).

    Left out, a picture's labels count as complete, as in transformers.
    """

    def __init__(self, config: Any) -> None:
        """As the parent; `config` is the model's."""
        super().__init__(config)  # type: ignore[no-untyped-call]
        self._auxiliary = bool(config.auxiliary_loss)

    def loss_labels_vfl(
        self,
        outputs: Mapping[str, Any],
        targets: Sequence[Mapping[str, Tensor]],
        indices: Sequence[tuple[Tensor, Tensor]],
        num_boxes: float,
        log: bool = True,
    ) -> dict[str, Tensor]:
        """The varifocal loss over what can be judged (Zhang et al., https://arxiv.org/abs/2008.13367)."""
        logits = outputs["logits"]
        everything = torch.ones(logits.shape[-1], dtype=torch.bool)
        complete = torch.stack([target.get("complete", everything).to(logits.device) for target in targets])
        judged = complete[:, None, :].repeat(1, logits.shape[1], 1)
        batch, query = self._get_source_permutation_idx(indices)  # type: ignore[no-untyped-call]
        matched = [target["class_labels"][chosen] for target, (_, chosen) in zip(targets, indices, strict=True)]
        judged[batch, query, torch.cat(matched)] = True
        masked = {**outputs, "logits": logits.masked_fill(~judged, _NO_COST)}
        parent: Any = super()  # which has no types
        result: dict[str, Tensor] = parent.loss_labels_vfl(masked, targets, indices, num_boxes, log)
        return result

    def of_outputs(
        self,
        logits: Tensor,
        labels: Sequence[Mapping[str, Tensor]],
        device: torch.device,  # noqa: ARG002 - what transformers calls every loss with
        pred_boxes: Tensor,
        config: Any,  # noqa: ARG002
        outputs_class: Tensor | None = None,
        outputs_coord: Tensor | None = None,
        enc_topk_logits: Tensor | None = None,
        enc_topk_bboxes: Tensor | None = None,
        denoising_meta_values: dict[str, Any] | None = None,
        **_: Any,
    ) -> tuple[Tensor, dict[str, Tensor], Any]:
        """Sum the losses of the last layer, of the layers before it, of the encoder and of the denoising queries.

        As `RTDetrForObjectDetectionLoss`, in float32 whatever the network ran in.
        """
        outputs: dict[str, Any] = {"logits": logits.float(), "pred_boxes": pred_boxes.float()}
        auxiliary = None
        if self._auxiliary and outputs_class is not None and outputs_coord is not None:
            classes, boxes = outputs_class.float(), outputs_coord.float()
            if denoising_meta_values is not None:
                noisy_boxes, boxes = torch.split(boxes, denoising_meta_values["dn_num_split"], dim=2)
                noisy_classes, classes = torch.split(classes, denoising_meta_values["dn_num_split"], dim=2)
                outputs["dn_auxiliary_outputs"] = _layers(noisy_classes, noisy_boxes)
                outputs["denoising_meta_values"] = denoising_meta_values
            auxiliary = _layers(classes[:, :-1], boxes[:, :-1])
            if enc_topk_logits is not None and enc_topk_bboxes is not None:
                auxiliary.append({"logits": enc_topk_logits.float(), "pred_boxes": enc_topk_bboxes.float()})
            outputs["auxiliary_outputs"] = auxiliary
        losses: dict[str, Tensor] = self(outputs, labels)
        return torch.stack(list(losses.values())).sum(), losses, auxiliary


def _layers(classes: Tensor, boxes: Tensor) -> list[dict[str, Tensor]]:
    """(B, L, Q, C) and (B, L, Q, 4) as one entry a layer."""
    return [{"logits": a, "pred_boxes": b} for a, b in zip(classes.transpose(0, 1), boxes.transpose(0, 1), strict=True)]
