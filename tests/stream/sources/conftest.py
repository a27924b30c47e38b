"""What the tests of several sources ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stream.sources.clips import H264, make_clip


@pytest.fixture(scope="session")
def film(ffmpeg: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds, 75 frames and a tone, large enough to be fetched in several parts."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    # The index first, so that the answer that is cut is the one with the pictures.
    encoding = ("-f", "lavfi", "-i", "sine=d=3", *H264, "-g", "12", "-c:a", "aac", "-movflags", "faststart")
    return make_clip(ffmpeg, path, *encoding, graph="testsrc2=s=320x240:r=25:d=3")
