"""`python -m models.training`: the sketch training with every setting open, for making the bundled weights again."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from models.errors import MirillaError
from models.training.sketch_settings import EpochReport, SketchTrainingSettings
from models.training.train_sketch import train_sketch


def main(arguments: list[str] | None = None) -> None:
    """Train, saying one line an epoch, then the figures on the held-out drawings."""
    try:
        trained = train_sketch(SketchTrainingSettings(**vars(_parser().parse_args(arguments))), _say_epoch)
    except MirillaError as error:
        sys.exit(f"error: {error}")
    _say(f"held out: {trained.held_out_count} drawings, top-1 {trained.top1:.4f}, top-5 {trained.top5:.4f}")


def _parser() -> argparse.ArgumentParser:
    # Left-out options stay out, so that the settings' own defaults hold.
    parser = argparse.ArgumentParser(prog="python -m models.training", argument_default=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, required=True, help="folder of .npz, .npy or .ndjson, one file a category")
    parser.add_argument("--output", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--extra-data", type=Path, help="more drawings of the same categories, in another form")
    parser.add_argument("--architecture", choices=("notes", "resnet"))
    parser.add_argument("--channels", type=_integers, help="channels of the stages: 32,64,128")
    parser.add_argument("--depths", type=_integers, help="residual blocks of the stages: 1,2,1")
    for name in ("epochs", "stop-after", "drawings-per-epoch", "batch-size", "seed", "threads"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("held-out", "extra-held-out", "validation", "extra-share", "dropout", "learning-rate"):
        parser.add_argument(f"--{name}", type=float)
    for name in ("weight-decay", "label-smoothing", "mixup-alpha", "ema-decay", "augmentation-strength"):
        parser.add_argument(f"--{name}", type=float)
    switches = {
        "hard-augmentation": "for few drawings a category",
        "mirrored": "the categories look alike in a mirror",
        "mixed-precision": "bfloat16 where it is safe; slow on processors without it",
        "resume": "go on from the last finished epoch in --output",
    }
    for name, meaning in switches.items():
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, help=meaning)
    return parser


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _say_epoch(report: EpochReport) -> None:
    measured = f"validation top-1 {report.top1:.4f}, top-5 {report.top5:.4f}, "
    watched = "" if math.isnan(report.top1) else measured
    _say(f"epoch {report.epoch}/{report.epochs}: loss {report.loss:.4f}, {watched}{report.seconds:.0f} s")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
