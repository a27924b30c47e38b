"""A written file plays everywhere and shows the colours that were drawn."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from stream.errors import SinkError
from stream.sinks import make_sink
from tests.stream.sinks.recording import Judge, describe, grey, moment, record

PATCHES_RGB = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "skin": (224, 172, 105),
    "grey": (128, 128, 128),
}


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize(("height", "matrix"), [(720, "bt709"), (480, "smpte170m")])
def test_colours_come_back_as_drawn_and_are_tagged(
    ending: str, height: int, matrix: str, tmp_path: Path, judge: Judge
) -> None:
    patch = 32
    info = describe(width=patch * len(PATCHES_RGB), height=height)
    rgb = np.zeros((height, info.width, 3), np.uint8)
    for column, colour in enumerate(PATCHES_RGB.values()):
        rgb[:, column * patch : (column + 1) * patch] = colour
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    sink = make_sink(str(tmp_path / f"out.{ending}"))
    sink.open(info)
    sink.write(bgr, moment(bgr, 0, info.time_base))
    sink.close()

    path = tmp_path / f"out.{ending}"
    (stream,) = judge.streams(path)
    tags = {key: stream.get(key) for key in ("color_space", "color_range", "color_primaries", "color_transfer")}
    assert tags == {
        "color_space": matrix,
        "color_range": "tv",
        "color_primaries": "bt709",
        "color_transfer": "bt709",
    }
    shown = judge.pictures(path, info.width, height)[0]
    for column, (name, colour) in enumerate(PATCHES_RGB.items()):
        middle = shown[height // 2, column * patch + patch // 2].astype(int)
        assert middle.tolist() == pytest.approx(colour, abs=4), name


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("width", "height", "written"),
    [
        (64, 48, (64, 48)),
        (65, 49, (66, 50)),  # H.264 with 4:2:0 has even sizes only: a column and a row are repeated
        (1, 1, (2, 2)),
        (31, 102, (32, 102)),  # portrait
        (3, 2, (4, 2)),
    ],
)
def test_every_size_is_written_whole(
    ending: str, width: int, height: int, written: tuple[int, int], tmp_path: Path, judge: Judge
) -> None:
    path = record(tmp_path / f"out.{ending}", describe(width, height), [i * 512 for i in range(3)])
    (stream,) = judge.streams(path)
    assert (stream["width"], stream["height"], stream["nb_read_frames"]) == (*written, "3")
    assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")


def test_an_odd_picture_repeats_its_last_column_and_row(tmp_path: Path, judge: Judge) -> None:
    info = describe(63, 47)
    image = np.zeros((47, 63, 3), np.uint8)
    image[:, 40:] = image[40:, :] = 200
    sink = make_sink(str(tmp_path / "out.mp4"))
    sink.open(info)
    sink.write(image, moment(image, 0, info.time_base))
    sink.close()
    shown = judge.pictures(tmp_path / "out.mp4", 64, 48)[0].astype(int)
    assert shown[20, 63].tolist() == pytest.approx([200] * 3, abs=6)
    assert shown[47, 20].tolist() == pytest.approx([200] * 3, abs=6)
    assert shown[20, 20].tolist() == pytest.approx([0] * 3, abs=6)


def test_mp4_has_its_index_first_and_no_fragments(tmp_path: Path) -> None:
    path = record(tmp_path / "out.mp4", describe(), [i * 512 for i in range(50)])
    atoms = _top_level_atoms(path.read_bytes())
    assert atoms.index("moov") < atoms.index("mdat")
    assert "moof" not in atoms


def test_a_view_into_a_larger_picture_is_written_right(tmp_path: Path, judge: Judge) -> None:
    wide = np.zeros((48, 128, 3), np.uint8)
    wide[:, :64] = 250
    info = describe()
    sink = make_sink(str(tmp_path / "out.mp4"))
    sink.open(info)
    sink.write(wide[:, :64], moment(grey(info, 0), 0, info.time_base))
    sink.close()
    assert judge.pictures(tmp_path / "out.mp4", 64, 48)[0].min() > 240


@pytest.mark.parametrize("name", ["out.mp4", "out.gif"])
def test_a_picture_of_another_size_is_an_error_and_the_file_stays_good(name: str, tmp_path: Path, judge: Judge) -> None:
    info = describe()
    sink = make_sink(str(tmp_path / name))
    sink.open(info)
    sink.write(grey(info, 0), moment(grey(info, 0), 0, info.time_base))
    larger = grey(describe(80, 60), 0)
    with pytest.raises(SinkError, match=r"expected a picture of 64x48, got 80x60; .*frames/"):
        sink.write(larger, moment(larger, 512, info.time_base))
    sink.close()
    assert judge.streams(tmp_path / name)[0]["nb_read_frames"] == "1"


def _top_level_atoms(data: bytes) -> list[str]:
    names, at = [], 0
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        names.append(name.decode())
        at += size
    return names
