"""The animation of a sliding window, seen through Pillow's GIF reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from models import load_model
from models.errors import MirillaError
from models.sliding_window import SlidingWindow, WindowSpec
from stream.explain.sliding_window import SweepOutcome, write_sweep
from tests.end_to_end.conftest import Mirilla, mirilla
from tests.models.conftest import make_package

__all__ = ["make_package", "mirilla"]


def sweep(package: Path, image: Path, output: Path, spec: WindowSpec) -> SweepOutcome:
    detector = SlidingWindow(load_model(package, device="cpu"), spec)
    return write_sweep(detector, image, output, overwrite=False, on_progress=lambda _done, _total: None)


def save(path: Path, width: int, height: int) -> Path:
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 3 : 2 * width // 3] = 255
    assert cv2.imwrite(str(path), image)
    return path


def test_every_window_then_the_hits_then_the_objects(make_package: Callable[..., Path], tmp_path: Path) -> None:
    image = save(tmp_path / "a.png", 240, 80)
    outcome = sweep(make_package(), image, tmp_path / "a.gif", WindowSpec(80, 40, threshold=0.8))
    # At 0, 80 and 160 the window is all of one colour; at 40 and 120 it is half of each, and sure of nothing.
    assert (outcome.windows, len(outcome.hits), len(outcome.objects)) == (5, 3, 3)
    with Image.open(tmp_path / "a.gif") as gif:
        frames = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(gif)]
    assert [duration for _, duration in frames[:-1]] == [120] * 5 + [1800, 3000]
    height = frames[0][0].shape[0]
    bar = height - 80
    assert bar > 10
    assert frames[0][0].shape[1] == 240
    # Column 100 is white, and bright only while the window is over it: at 40 and at 80.
    for number, (picture, _) in enumerate(frames[:5]):
        bright = picture[bar + 40, 100].mean()
        assert (bright > 200) == (number in (1, 2)), number


@pytest.mark.parametrize(("width", "height"), [(1, 1), (31, 57), (1600, 900)])
def test_sizes(make_package: Callable[..., Path], tmp_path: Path, width: int, height: int) -> None:
    image = save(tmp_path / "a.png", width, height)
    sweep(make_package(), image, tmp_path / "a.gif", WindowSpec(stride_px=300))
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.width == min(width, 720)


def test_many_windows_are_shown_in_part(make_package: Callable[..., Path], tmp_path: Path) -> None:
    image = save(tmp_path / "a.png", 48, 48)
    outcome = sweep(make_package(), image, tmp_path / "a.gif", WindowSpec(8, 1))
    assert outcome.windows == 41 * 41
    with Image.open(tmp_path / "a.gif") as gif:
        # At the shortest time a GIF has, 0.02 s, in no more than 8 s: every fifth of them, and three more scenes.
        count = sum(1 for _ in ImageSequence.Iterator(gif))
    assert 300 < count <= 400 + 3


def test_what_is_wrong_is_said(make_package: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(MirillaError, match=r"\.gif"):
        sweep(make_package(), save(tmp_path / "a.png", 8, 8), tmp_path / "a.mp4", WindowSpec())
    with pytest.raises(MirillaError, match=r"b\.png"):
        sweep(tmp_path / "brightness", tmp_path / "b.png", tmp_path / "a.gif", WindowSpec())


def test_the_command(mirilla: Mirilla, tmp_path: Path) -> None:
    save(tmp_path / "a.png", 90, 60)
    result = mirilla("explain", "sliding-window", "a.png", "--device", "cpu", "--output", "a.gif", "--scales", "1,1.5")
    assert result.returncode == 0, result.stderr
    assert "made a.gif" in result.stdout
    result = mirilla("explain", "sliding-window", "a.png", "--scales", "1;2")
    assert result.returncode == 2
    assert "scales" in result.stderr
    result = mirilla("explain", "iou", "--a", "0,0,10,10", "--b", "5,0,15,10", "--output", "iou.png")
    assert "IoU 0.333" in result.stdout
    assert (tmp_path / "iou.png").is_file()
