"""The training loop of segmenters on squares: it learns, repeats itself, and goes on where it was cut off."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from models.training.errors import TrainingError
from models.training.segmentation_pairs import NOT_COUNTED, PairWriter
from models.training.segmenter_networks import best_classes, segmentation_loss
from models.training.segmenter_package import write_record
from models.training.segmenter_settings import SegmenterSettings, settings_of
from models.training.train_segmenter import StepReport, TrainedSegmenter, train_segmenter

SMALL: dict[str, Any] = {
    "size": 32,
    "channels": (4, 8),
    "steps": 40,
    "rise": 5,
    "batch_size": 4,
    "learning_rate": 0.02,
    "ema_decay": 0.5,
    "report_every": 20,
    "mixed_precision": False,
}


class Squares:
    """A bright square somewhere in a dark picture; with three classes a grey one, too."""

    def __init__(self, *class_names: str) -> None:
        self.class_names = class_names

    def sample(
        self, size_wh: tuple[int, int], random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        labels = np.zeros(size_wh[::-1], np.uint8)
        for label in range(1, len(self.class_names)):
            top, left = random.integers(0, size_wh[1] - 12, 2)
            labels[top : top + 12, left : left + 12] = label
        levels = np.array([30, 220, 120], np.uint8)[labels]
        return np.repeat(levels[..., None], 3, axis=2), labels

    def write_pairs(self, writer: PairWriter) -> None:
        writer.write("one", *self.sample((64, 64), np.random.default_rng(0)))


TWO, THREE = Squares("ground", "square"), Squares("ground", "bright", "grey")


def settings(folder: Path, **changed: Any) -> SegmenterSettings:
    return SegmenterSettings(kind="unet", data=folder, output=folder / "out", **{**SMALL, **changed})


def trained(wanted: SegmenterSettings, source: Squares = TWO) -> tuple[TrainedSegmenter, list[StepReport]]:
    reports: list[StepReport] = []
    return train_segmenter(wanted, source, source, lambda _: None, reports.append), reports


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "out" / "model.safetensors")


@pytest.mark.parametrize(
    ("source", "changed", "planes"),
    [
        (TWO, {}, 1),
        (THREE, {}, 3),
        (TWO, {"architecture": "segformer", "channels": (8, 16, 16, 16), "steps": 60, "learning_rate": 3e-3}, 2),
    ],
    ids=["two classes", "three classes", "segformer"],
)
def test_it_learns_to_tell_squares_from_the_ground(
    tmp_path: Path, source: Squares, changed: dict[str, Any], planes: int
) -> None:
    done, reports = trained(settings(tmp_path, **changed), source)
    assert reports[-1].loss < reports[0].loss
    assert reports[-1].iou > (0.8 if planes != 2 else 0.5)
    assert reports == list(done.history)
    picture, labels = source.sample((32, 32), np.random.default_rng(99))
    with torch.inference_mode():
        logits = done.segmenter.network(done.segmenter.tensor([picture])).logits
    assert logits.shape[1] == planes
    found = best_classes(logits, (32, 32))[0].numpy()
    assert (found == labels).mean() > 0.9
    names = done.segmenter.network.config.id2label or {}
    assert tuple(names.values()) == source.class_names


def test_a_resumed_training_is_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    whole, _ = trained(settings(tmp_path / "whole"))
    _, first = trained(settings(tmp_path / "parts", stop_after=20))
    resumed, rest = trained(settings(tmp_path / "parts", resume=True))
    assert [report.step for report in first + rest] == [20, 40]
    assert [report.loss for report in resumed.history] == [report.loss for report in whole.history]
    for name, tensor in weights(tmp_path / "whole").items():
        torch.testing.assert_close(weights(tmp_path / "parts")[name], tensor, rtol=0, atol=0)
    # Both portions are told.
    begun, gone_on = resumed.command.splitlines()
    assert ("--set stop_after=20" in begun, "--resume" in begun) == (True, False)
    assert ("stop_after" in gone_on, gone_on.endswith("--resume")) == (False, True)


def test_another_seed_makes_other_weights(tmp_path: Path) -> None:
    trained(settings(tmp_path / "one", steps=2))
    trained(settings(tmp_path / "two", steps=2, seed=1))
    assert not torch.equal(weights(tmp_path / "one")["head.weight"], weights(tmp_path / "two")["head.weight"])


def test_a_checkpoint_is_where_it_starts(tmp_path: Path) -> None:
    """Of other classes, too: all but the last layer is kept."""
    trained(settings(tmp_path / "one", steps=20))
    done, _ = trained(settings(tmp_path / "two", steps=1, learning_rate=1e-9, start=tmp_path / "one" / "out"), THREE)
    before, after = weights(tmp_path / "one"), weights(tmp_path / "two")
    torch.testing.assert_close(after["down.0.0.weight"], before["down.0.0.weight"], rtol=0, atol=1e-6)
    assert done.class_names == THREE.class_names


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"size": 33}, "size: expected a multiple of 32, got 33"),
        ({"architecture": "segformer"}, "channels: expected 4 stages for segformer"),
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"held_out": 1.0}, "held_out: expected a share of at least 0 and below 1, got 1.0"),
        ({"device": "abacus"}, "device: 'abacus' cannot be used"),
        ({"start": Path("nowhere")}, "start: nowhere is no segmentation checkpoint that can be read"),
    ],
)
def test_settings_that_make_no_sense_are_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        trained(settings(tmp_path, **changed))


def test_a_torn_file_is_not_resumed(tmp_path: Path) -> None:
    wanted = settings(tmp_path, steps=1)
    trained(wanted)
    (wanted.output / "resume.pt").write_bytes(b"torn")
    with pytest.raises(TrainingError, match=r"resume\.pt is of another network or damaged"):
        trained(replace(wanted, resume=True))


@pytest.mark.parametrize(
    ("logits", "labels", "dice", "expected"),
    [
        # One plane: the cross-entropy of even odds is ln 2.
        ([[[0.0, 0.0]]], [[0, 1]], 0.0, np.log(2)),
        # Dice: likelihoods of 1/2 share 1/2 of 1 + 1, smoothed by 1: 1 - (2 * 0.5 + 1) / (1 + 1 + 1).
        ([[[0.0, 0.0]]], [[0, 1]], 1.0, np.log(2) + 1 / 3),
        # Two planes are one, their difference.
        ([[[1.0, 1.0]], [[1.0, 1.0]]], [[0, 1]], 0.0, np.log(2)),
        # What is not counted adds nothing; the mean is over all pixels.
        ([[[0.0, 50.0]]], [[1, NOT_COUNTED]], 0.0, np.log(2) / 2),
        # Three planes: ln 3, over the pixels that count.
        ([[[0.0, 9.0]], [[0.0, 0.0]], [[0.0, 0.0]]], [[2, NOT_COUNTED]], 1.0, np.log(3)),
    ],
)
def test_the_loss_by_hand(logits: list[Any], labels: list[Any], dice: float, expected: float) -> None:
    loss = segmentation_loss(torch.tensor([logits]), torch.tensor([labels]), dice)
    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_the_record_says_how_to_make_the_weights_again(tmp_path: Path) -> None:
    wanted = settings(tmp_path, steps=1)
    done, _ = trained(wanted)
    write_record(done, wanted, is_own_data=True)
    record = json.loads((wanted.output / "training.json").read_text(encoding="utf-8"))
    assert record["command"].startswith("mirilla train unet --data ")
    # Of the user's own pictures no licence is known.
    assert (record["licence"], record["attribution"], record["held_out"]) == (None, None, {})


def test_options_win_over_what_a_kind_is_trained_with() -> None:
    given = {"kind": "person-segmenter", "data": Path("a"), "output": Path("b"), "steps": None}
    assert (settings_of(given, ()).size, settings_of(given, ["size=64"]).size) == (160, 64)
    assert settings_of({**given, "steps": 7}, ()).steps == 7
