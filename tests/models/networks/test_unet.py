"""The U-Net's shapes, losses and the sides it takes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.networks.sketch_cnn import label_settings
from models.networks.unet import UNet, UNetConfig

LABELS = label_settings(["background", "cat", "star"])


def small(binary: bool = False) -> UNet:
    torch.manual_seed(0)
    labels = label_settings(["skin", "lesion"]) if binary else LABELS
    return UNet(UNetConfig(image_size=16, channels=(4, 6, 8), binary=binary, **labels))


@pytest.mark.parametrize(
    ("binary", "planes"),
    # Two classes need one plane: yes or no.
    [(True, 1), (False, 3)],
)
@pytest.mark.parametrize("size_hw", [(16, 16), (8, 20), (4, 4)], ids=["square", "portrait", "smallest"])
def test_a_plane_a_class_at_the_size_of_the_picture(binary: bool, planes: int, size_hw: tuple[int, int]) -> None:
    pictures = torch.rand(2, 3, *size_hw)
    model = small(binary)
    model.train(mode=False)
    output = model(pictures)
    assert output.logits.shape == (2, planes, *size_hw)
    assert torch.equal(model(pictures, return_dict=False)[0], output.logits)


def test_the_losses_are_those_of_torch() -> None:
    pictures = torch.rand(2, 3, 16, 16)
    for model in (small(binary=True), small()):
        model.train(mode=False)
        labels = torch.randint(0, 2, (2, 16, 16))
        output = model(pictures, labels=labels)
        if model.config.binary:
            expected = nn.functional.binary_cross_entropy(output.logits.sigmoid()[:, 0], labels.float())
        else:
            expected = nn.functional.nll_loss(output.logits.log_softmax(dim=1), labels)
        torch.testing.assert_close(output.loss, expected)


def test_what_is_seen_on_the_way_down_is_joined_on_the_way_up() -> None:
    model = small()
    model.train(mode=False)
    pictures = torch.rand(1, 3, 16, 16)
    before = model(pictures).logits
    # With its deepest stage silent, only the joined features carry the picture to the head.
    for rise in model.rise:
        rise.requires_grad_(False).apply(_silence)
    changed = model(pictures).logits
    assert not torch.allclose(before, changed)
    assert changed.std() > 1e-3


def _silence(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"channels": (8,)}, "two stages or more"), ({"image_size": 30, "channels": (4, 8, 16)}, "multiple of 4")],
)
def test_a_network_that_cannot_be_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UNetConfig(**fields)  # type: ignore[arg-type]


def test_it_learns_a_square() -> None:
    model = small(binary=True)
    model.train()
    pictures = torch.zeros(1, 3, 16, 16)
    pictures[..., 4:12, 4:12] = 1
    labels = (pictures[:, 0] > 0).long()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    losses = []
    for _ in range(30):
        loss = model(pictures, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4
