"""`mirilla train sketch` from drawings to a package that `mirilla run` takes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.conftest import Mirilla
from tests.models.training.drawn_files import write_bitmaps


def test_drawings_become_a_package_that_guesses(mirilla: Mirilla, tmp_path: Path) -> None:
    write_bitmaps(tmp_path / "drawings", 40)
    small = [
        "--set",
        "channels=8,16",
        "--set",
        "depths=1,1",
        "--set",
        "batch_size=16",
        "--set",
        "mixed_precision=false",
    ]
    train = ["train", "sketch", "--data", "drawings", "--output", "mine", "--epochs", "2", *small]
    result = mirilla(*train)
    assert result.returncode == 0, result.stderr
    assert "epoch 2 of 2" in result.stderr
    assert result.stdout.startswith("mine: top-1 ")
    manifest = json.loads((tmp_path / "mine" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["parity"]["passed"]
    assert manifest["trained_with"].startswith("mirilla train sketch --data ")

    run = mirilla("run", "--source", "pattern:320x240@10x3", "--model", "mine", "--sink", "seen.jsonl")
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["results"]["mine"]["task"] for line in lines] == ["sketch_classification"] * 3

    # The package is not replaced unless that is asked for, and that is said before the training.
    again = mirilla(*train)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    assert "epoch" not in again.stderr
    assert mirilla(*train, "--resume", "--overwrite").returncode == 0


def test_what_cannot_be_trained_on_is_one_line(mirilla: Mirilla, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        (["--data", "empty"], "holds no Quick, Draw! files"),
        (["--data", "empty", "--set", "chanels=3"], "did you mean 'channels'?"),
    ):
        result = mirilla("train", "sketch", "--output", "mine", *arguments)
        assert result.returncode == 2
        assert message in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
