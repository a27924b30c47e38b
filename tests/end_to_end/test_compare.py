"""`mirilla compare` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Mirilla
from tests.end_to_end.ffprobe import frame_times


@pytest.mark.usefixtures("ffprobe")
def test_two_bundled_models_on_drawings(mirilla: Mirilla, tmp_path: Path) -> None:
    arguments = ("compare", "quickdraw-32", "quickdraw-345", "--source", "doodles", "--frames", "12", "--output", "out")
    result = mirilla(*arguments, "--device", "cpu")
    assert result.returncode == 0, result.stderr
    for text in ("quickdraw-32", "quickdraw-345", "agreement", "made out/comparison.md", "made out/doodles.mp4"):
        assert text in result.stdout
    assert len(frame_times(tmp_path / "out" / "doodles.mp4")) == 12
    again = mirilla(*arguments)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
