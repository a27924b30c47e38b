"""A folder of images has one whole PNG a frame, named by its index."""

from __future__ import annotations

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.errors import SinkError
from stream.sinks import make_sink
from tests.stream.sinks.recording import describe, grey, moment, write_frames

INFO = describe(33, 17)


@pytest.mark.parametrize("size_wh", [(33, 17), (1, 1), (12, 50)])
def test_pictures_come_back_exactly_under_their_indices(size_wh: tuple[int, int], tmp_path: Path) -> None:
    width, height = size_wh
    random = np.random.default_rng(0)
    images = {index: random.integers(0, 255, (height, width, 3), np.uint8) for index in (0, 1, 7, 1_234_567)}
    sink = make_sink(f"{tmp_path}/frames/")
    sink.open(describe(width, height))
    for index, image in images.items():
        sink.write(image, moment(image, index, INFO.time_base, index))
    sink.close()
    assert sink.paths() == [f"{tmp_path}/frames/"]
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == ["frame_000000.png", "frame_000001.png", "frame_000007.png", "frame_1234567.png"]
    for index, image in images.items():
        read = cv2.imread(str(tmp_path / "frames" / f"frame_{index:06d}.png"))
        np.testing.assert_array_equal(read, image)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    sink = make_sink(str(tmp_path))
    sink.open(INFO)
    write_frames(sink, INFO, [0])
    sink.close()
    assert [path.name for path in tmp_path.iterdir()] == ["frame_000000.png"]


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "holiday.png").write_bytes(b"mine")
    with pytest.raises(SinkError, match="exists and is not empty; pass --overwrite or choose another name"):
        make_sink(f"{tmp_path}/").open(INFO)


def test_overwriting_replaces_the_frames_of_an_earlier_run_and_nothing_else(tmp_path: Path) -> None:
    for name in ("frame_000000.png", "frame_000009.png", "holiday.png", "frame_9.png"):
        (tmp_path / name).write_bytes(b"old")
    sink = make_sink(f"{tmp_path}/", overwrite=True)
    sink.open(INFO)
    assert (tmp_path / "frame_000009.png").exists()  # until there is something better
    write_frames(sink, INFO, [0, 512])
    sink.close()
    kept = {path.name for path in tmp_path.iterdir() if path.read_bytes() == b"old"}
    assert kept == {"holiday.png", "frame_9.png"}
    assert len(list(tmp_path.iterdir())) == 4


def test_a_run_without_frames_leaves_no_folder(tmp_path: Path) -> None:
    sink = make_sink(f"{tmp_path}/frames/")
    sink.open(INFO)
    sink.close()
    assert sink.paths() == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_under_the_name_is_said(tmp_path: Path) -> None:
    (tmp_path / "frames").write_text("a file")
    with pytest.raises(SinkError, match="is a file; give the name of a folder"):
        make_sink(f"{tmp_path}/frames/").open(INFO)


def test_a_full_disk_is_one_error_and_leaves_whole_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = make_sink(f"{tmp_path}/frames/")
    sink.open(INFO)
    write_frames(sink, INFO, [0])

    def half(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    image = grey(INFO, 0)
    with pytest.raises(SinkError, match=r"the disk is full; free some space .*; pictures written until then: 1"):
        sink.write(image, moment(image, 512, INFO.time_base, 1))
    sink.close()
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["frame_000000.png"]
