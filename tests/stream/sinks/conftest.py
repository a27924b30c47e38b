from __future__ import annotations

from pathlib import Path

import pytest

from tests.stream.sinks.recording import Judge


@pytest.fixture
def judge(ffmpeg: Path, ffprobe: Path) -> Judge:
    """The independent readers of what was written."""
    return Judge(ffmpeg, ffprobe)
