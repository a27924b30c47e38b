"""The training loop on drawings made by code: it learns, repeats itself, and goes on where it was cut off."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.networks.sketch_cnn import load_sketch_model
from models.training.errors import TrainingError
from models.training.quickdraw_data import Split, read_sketches
from models.training.sketch_accuracy import confusion_matrix, most_confused, predict, top_k_shares
from models.training.sketch_batches import MixedBatch, balanced_order, mixed_loss
from models.training.sketch_settings import SketchTrainingSettings
from models.training.train_sketch import train_sketch
from models.training.trained_sketch import EpochReport, TrainedSketch
from models.training.training_state import RESUME_FILE
from tests.models.training.drawn_files import SHAPES, write_bitmaps, write_strokes


def settings(folder: Path, output: str = "out") -> SketchTrainingSettings:
    return SketchTrainingSettings(
        data=folder / "bitmaps",
        output=folder / output,
        channels=(8, 16),
        depths=(1, 1),
        epochs=2,
        batch_size=16,
        held_out=0.25,
        validation=0.25,
        ema_decay=0.8,
        mixed_precision=False,
        seed=7,
    )


def run(wanted: SketchTrainingSettings) -> tuple[TrainedSketch, list[EpochReport]]:
    reports: list[EpochReport] = []
    return train_sketch(wanted, reports.append), reports


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bitmaps(tmp_path / "bitmaps", 32)
    return tmp_path


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    return load_sketch_model(checkpoint).state_dict()


def alike(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns_and_says_how_well(folder: Path) -> None:
    trained, reports = run(replace(settings(folder), epochs=12, drawings_per_epoch=160, mixup_alpha=0.0))
    assert [report.epoch for report in reports] == list(range(1, 13))
    assert reports[-1].loss < reports[0].loss / 2
    assert trained.class_names == SHAPES
    assert trained.accuracy.count == 3 * 8
    assert trained.accuracy.top1 >= 0.9
    assert trained.accuracy.top5 == 1.0
    # The figures are the checkpoint's own, on the last quarter of each file.
    model = load_sketch_model(trained.checkpoint)
    held_out = np.stack([np.load(folder / "bitmaps" / f"{name}.npz")["bitmaps"][24:] for name in SHAPES])
    guesses = predict(model, held_out.reshape(-1, 28, 28)).argmax(axis=1)
    assert (guesses == np.repeat([0, 1, 2], 8)).mean() == trained.accuracy.top1


def test_the_same_seed_makes_the_same_weights_and_another_does_not(folder: Path) -> None:
    first, _ = run(settings(folder, "first"))
    second, _ = run(settings(folder, "second"))
    other, _ = run(replace(settings(folder, "other"), seed=8))
    assert alike(weights(first.checkpoint), weights(second.checkpoint))
    assert not alike(weights(first.checkpoint), weights(other.checkpoint))


class _PowerCutError(Exception):
    pass


def test_a_cut_off_training_goes_on_as_if_nothing_had_happened(folder: Path) -> None:
    def cut(_report: EpochReport) -> None:
        raise _PowerCutError

    whole, whole_reports = run(settings(folder, "whole"))
    with pytest.raises(_PowerCutError):
        train_sketch(settings(folder, "cut"), cut)
    resumed, reports = run(replace(settings(folder, "cut"), resume=True))
    assert [report.epoch for report in reports] == [2]
    assert reports[0].loss == whole_reports[1].loss
    assert alike(weights(whole.checkpoint), weights(resumed.checkpoint))


def test_the_notes_network_and_other_forms_of_drawings_train_too(folder: Path) -> None:
    write_strokes(folder / "strokes", 12, first_seed=50)
    notes = replace(settings(folder, "notes"), architecture="notes", extra_data=folder / "strokes", extra_share=0.25)
    trained, reports = run(replace(notes, drawings_per_epoch=24))
    assert load_sketch_model(trained.checkpoint).config.model_type == "mirilla_sketch_cnn"
    assert len(reports) == 2


def test_the_papers_say_how_the_weights_were_made(folder: Path) -> None:
    trained, _ = run(settings(folder, "sketchy"))
    record = json.loads((trained.checkpoint / "training.json").read_text(encoding="utf-8"))
    assert record["held_out"] == {"drawings": 24, "top1": trained.accuracy.top1, "top5": trained.accuracy.top5}
    assert "--seed 7" in record["command"]
    assert "--set mixed_precision=False" in record["command"]
    assert str(folder) not in record["command"]
    card = (trained.checkpoint / "README.md").read_text(encoding="utf-8")
    for needed in ("Quick, Draw! by Google", "CC BY 4.0", f"top-1 {trained.accuracy.top1:.4f}", record["command"]):
        assert needed in card
    assert (trained.checkpoint / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_makes_the_settings_again(tmp_path: Path) -> None:
    wanted = replace(settings(tmp_path), extra_data=tmp_path / "strokes", hard_augmentation=True, mirrored=False)
    words = wanted.command().split()
    assert words[:3] == ["mirilla", "train", "sketch"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    texts = [text for option, text in zip(words[3::2], words[4::2], strict=True) if option == "--set"]
    again = SketchTrainingSettings.from_texts(
        texts, data=given["--data"], output=given["--output"], epochs=given["--epochs"], seed=given["--seed"]
    )
    # Of folders only the last two names are told, of the output one.
    assert again.data.parts == wanted.data.parts[-2:]
    assert again.extra_data is not None
    assert again.extra_data.parts[-1] == "strokes"
    same = replace(again, data=wanted.data, output=wanted.output, extra_data=wanted.extra_data)
    assert same == wanted


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("chanels=3,4", "expected KEY=VALUE with a known key; did you mean 'channels'?"),
        ("dropout", "did you mean 'dropout'?"),
        ("dropout=much", "--set dropout=much: Input should be a valid number"),
        ("batch_size=2", "batch_size: expected at least 8, got 2"),
    ],
)
def test_a_setting_that_is_wrong_is_named(text: str, reason: str) -> None:
    with pytest.raises(TrainingError, match=re.escape(reason)):
        SketchTrainingSettings.from_texts([text], data="drawings", output="out")


def test_without_a_validation_part_all_that_is_not_held_out_trains(folder: Path) -> None:
    trained, reports = run(replace(settings(folder, "all"), validation=0.0))
    assert all(np.isnan(report.top1) and np.isnan(report.top5) for report in reports)
    assert trained.accuracy.count == 24
    record = json.loads((trained.checkpoint / "training.json").read_text(encoding="utf-8"))
    assert [epoch["top1"] for epoch in record["epochs"]] == [None, None]
    assert "NaN" not in (trained.checkpoint / "training.json").read_text(encoding="utf-8")
    watched, _ = run(settings(folder, "watched"))
    assert not alike(weights(trained.checkpoint), weights(watched.checkpoint))


def test_a_checkpoint_of_another_network_is_not_gone_on_from(folder: Path) -> None:
    run(settings(folder))
    wider = replace(settings(folder), channels=(16, 16), resume=True)
    with pytest.raises(TrainingError, match="leave out --resume"):
        train_sketch(wider, lambda _: None)
    (folder / "out" / RESUME_FILE).write_bytes(b"torn")
    with pytest.raises(TrainingError, match="damaged"):
        train_sketch(replace(settings(folder), resume=True), lambda _: None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"architecture": "transformer"}, "architecture: expected notes or resnet, got 'transformer'"),
        ({"epochs": 0}, "epochs: expected at least 1, got 0"),
        ({"depths": (1,)}, "depths: expected one for each of channels"),
        ({"extra_share": 1.0}, "extra_share"),
        ({"held_out": 0.0}, "held_out"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_that_make_no_sense_are_named(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        replace(settings(tmp_path), **change)  # type: ignore[arg-type]


def test_too_few_drawings_is_one_clear_error(tmp_path: Path) -> None:
    write_bitmaps(tmp_path / "bitmaps", 2)
    with pytest.raises(TrainingError, match="none is left for the training part"):
        train_sketch(replace(settings(tmp_path), held_out=0.5, validation=0.9), lambda _: None)


def test_top_k_counts_the_label_among_the_first_guesses() -> None:
    logits = np.array(
        [
            [9, 1, 2, 3, 4, 5, 0],  # right at once
            [9, 1, 2, 3, 4, 5, 0],  # fifth guess: 2
            [9, 1, 2, 3, 4, 5, 0],  # sixth guess: 1
            [0, 0, 0, 0, 0, 0, 1],  # a tie: the lower classes count as guessed first
        ],
        np.float32,
    )
    assert top_k_shares(logits, np.array([0, 2, 1, 5])) == (0.25, 0.5)


def test_confusions_count_both_ways_and_by_share() -> None:
    logits = np.eye(3, dtype=np.float32)[[0, 0, 1, 0, 2, 2]]
    labels = np.array([0, 0, 0, 1, 1, 2])
    confusion = confusion_matrix(logits, labels)
    assert confusion.tolist() == [[2, 1, 0], [1, 0, 1], [0, 0, 1]]
    assert most_confused(confusion, ["a", "b", "c"], 5) == [("a", "b", 2, 2 / 5), ("b", "c", 1, 1 / 3)]


def test_every_category_and_every_drawing_gets_its_turn(tmp_path: Path) -> None:
    write_bitmaps(tmp_path, 4)
    np.save(tmp_path / "line.npy", np.load(tmp_path / "line.npz")["bitmaps"])  # twice as many lines as others
    sketches = read_sketches(tmp_path, "training", Split(0.0, 0.0), SHAPES)
    order = balanced_order(sketches, 24, np.random.default_rng(0))
    assert np.bincount(sketches.labels[order]).tolist() == [8, 8, 8]
    assert np.bincount(order).tolist() == [2] * 8 + [1] * 8


def test_where_a_source_knows_few_classes_only_these_compete() -> None:
    logits = torch.tensor([[1.0, 50.0, 3.0, 0.0]])
    batch = MixedBatch(
        images=torch.zeros(1, 1, 28, 28),
        labels=torch.tensor([2]),
        other_labels=torch.tensor([0]),
        share=0.75,
        classes=torch.tensor([0, 2]),
    )
    # Softmax over 1 and 3 alone; class 1, however sure, says nothing.
    log_sum = np.log(np.exp(1) + np.exp(3))
    expected = 0.75 * (log_sum - 3) + 0.25 * (log_sum - 1)
    assert float(mixed_loss(logits, batch, smoothing=0.0)) == pytest.approx(expected, rel=1e-5)
    everyone = replace(batch, classes=None)
    assert float(mixed_loss(logits, everyone, smoothing=0.0)) == pytest.approx(0.75 * 47 + 0.25 * 49, rel=1e-5)


def test_a_training_in_portions_says_all_its_commands(folder: Path) -> None:
    first, reports = run(replace(settings(folder), epochs=9, stop_after=1))
    assert len(reports) == 1
    assert first.accuracy.top5 == 1.0, "what is there after a portion is a checkpoint like any other"
    trained, reports = run(replace(settings(folder), epochs=2, resume=True))
    assert [report.epoch for report in reports] == [2]
    record = json.loads((trained.checkpoint / "training.json").read_text(encoding="utf-8"))
    begun, gone_on = record["command"].splitlines()
    assert "--epochs 9 " in begun
    assert "--set stop_after=1" in begun
    assert "--resume" not in begun
    assert "--epochs 2 " in gone_on
    assert gone_on.endswith("--resume")
    # Resuming what is finished changes nothing.
    again, reports = run(replace(settings(folder), epochs=2, resume=True))
    assert reports == []
    assert alike(weights(again.checkpoint), weights(trained.checkpoint))
    assert again.command == trained.command
    assert json.loads((trained.checkpoint / "training.json").read_text(encoding="utf-8")) == record
