"""One picture, and folders of them, as streams of frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stream.errors import SourceError
from stream.sources import open_source
from stream.sources.image_folder import ImageFolderSource, natural_order
from stream.sources.still import letterboxed, read_still
from tests.stream.sources.clips import largest_difference, with_exif_orientation


def gradient(width: int, height: int) -> NDArray[np.uint8]:
    """A picture in which no two corners are alike: blue grows to the right, green downwards, red is 40."""
    blue, green = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.dstack([blue, green, np.full_like(blue, 40)]).round().astype(np.uint8)


def plain(width: int, height: int, colour: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def write(path: Path, image: cv2.typing.MatLike) -> Path:
    path.write_bytes(cv2.imencode(path.suffix.lower(), image)[1].tobytes())
    return path


class TestImage:
    @pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tiff", ".ppm", ".jpg", ".JPEG"])
    @pytest.mark.parametrize("size_wh", [(1, 1), (33, 21), (20, 47)])
    def test_is_one_frame(self, tmp_path: Path, suffix: str, size_wh: tuple[int, int]) -> None:
        image = plain(*size_wh, 90)
        with open_source(write(tmp_path / f"a{suffix}", image)) as source:
            frames = list(source)
        assert (source.info.width, source.info.height) == size_wh
        assert (source.info.rate, source.info.frame_count, source.info.name) == (None, 1, f"a{suffix}")
        assert [(frame.index, frame.pts) for frame in frames] == [(0, 0)]
        assert largest_difference(frames[0].image, image) <= 1

    def test_one_of_unknown_ending_is_known_by_its_content(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.png", gradient(9, 7)).rename(tmp_path / "a.upload")
        assert np.array_equal(next(iter(open_source(path))).image, gradient(9, 7))

    @pytest.mark.parametrize(
        ("orientation", "upright"),
        [
            # what EXIF 2.3 (tag 0x0112) says a viewer does to the stored picture
            (1, lambda image: image),
            (2, lambda image: image[:, ::-1]),
            (3, lambda image: image[::-1, ::-1]),
            (4, lambda image: image[::-1]),
            (5, lambda image: image.transpose(1, 0, 2)),
            (6, lambda image: np.rot90(image, -1)),
            (7, lambda image: image[::-1, ::-1].transpose(1, 0, 2)),
            (8, lambda image: np.rot90(image, 1)),
        ],
    )
    def test_exif_orientation_is_honoured(self, tmp_path: Path, orientation: int, upright: object) -> None:
        assert callable(upright)
        path = write(tmp_path / "a.jpg", gradient(48, 32))
        stored = cv2.imread(str(path))
        path.write_bytes(with_exif_orientation(path.read_bytes(), orientation))
        assert np.array_equal(read_still(path), upright(stored))

    @pytest.mark.parametrize(
        ("stored", "expected"),
        [
            # transparent is white, opaque is itself, half is half white: 255 - 128 + 128 * 100 / 255 = 177.2
            (np.array([[[0, 0, 0, 0], [10, 20, 30, 255], [100, 100, 100, 128]]], np.uint8), [255, 20, 177]),
            # the same in 16 bits
            (
                np.array([[[0, 0, 0, 0], [0, 20 * 257, 0, 65535], [0, 100 * 257, 0, 128 * 257]]], np.uint16),
                [255, 20, 177],
            ),
            # grey
            (np.array([[0, 20, 255]], np.uint8), [0, 20, 255]),
            # grey in 16 bits: the high byte
            (np.array([[0, 20 * 257, 65535]], np.uint16), [0, 20, 255]),
        ],
    )
    def test_every_kind_of_pixel_becomes_bgr(
        self, tmp_path: Path, stored: cv2.typing.MatLike, expected: list[int]
    ) -> None:
        image = read_still(write(tmp_path / "a.png", stored))
        assert image.dtype == np.uint8
        assert image.shape == (1, 3, 3)
        assert image[0, :, 1] == pytest.approx(expected, abs=1)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", r"is empty \(0 bytes\)"),
            (b"no picture", "is damaged or no picture"),
            # half of a PNG
            (cv2.imencode(".png", gradient(64, 64))[1].tobytes()[:90], "is damaged or no picture"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, tmp_path: Path, content: bytes, message: str) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(content)
        with pytest.raises(SourceError, match=message):
            open_source(path)

    def test_closed_before_reading_gives_nothing(self, tmp_path: Path) -> None:
        source = open_source(write(tmp_path / "a.png", gradient(4, 4)))
        source.close()
        source.close()
        assert list(source) == []


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Pictures whose grey is the number in their name, among what is no picture."""
        for number in (10, 9, 1, 100):
            write(tmp_path / f"shot{number}.png", plain(8, 6, number))
        (tmp_path / "notes.txt").write_text("passed over")
        (tmp_path / "._shot2.png").write_bytes(b"what macOS leaves on foreign disks")
        (tmp_path / "sub.png").mkdir()
        return tmp_path

    def test_is_read_in_natural_order(self, folder: Path) -> None:
        source = open_source(folder)
        frames = list(source)
        assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 9, 10, 100]
        assert [frame.index for frame in frames] == [0, 1, 2, 3]
        assert (source.info.name, source.info.frame_count, source.info.rate) == (folder.name, 4, None)

    def test_each_picture_stands_for_one_second(self, folder: Path) -> None:
        assert [frame.pts_seconds for frame in open_source(folder)] == [0.0, 1.0, 2.0, 3.0]

    def test_or_for_what_the_caller_says(self, folder: Path) -> None:
        source = ImageFolderSource(folder, seconds_per_picture=Fraction(1, 25))
        assert [frame.pts_seconds for frame in source] == [0.0, 0.04, 0.08, 0.12]

    def test_other_sizes_are_letterboxed_to_the_first(self, tmp_path: Path) -> None:
        write(tmp_path / "1.png", plain(16, 8, 50))
        write(tmp_path / "2.png", plain(4, 4, 200))
        frames = list(open_source(tmp_path))
        assert {frame.size_wh for frame in frames} == {(16, 8)}
        row = frames[1].image[4, :, 0].tolist()
        assert row == [0] * 4 + [200] * 8 + [0] * 4

    def test_a_damaged_picture_in_the_middle_ends_it_by_name(self, folder: Path) -> None:
        (folder / "shot10.png").write_bytes(b"damaged")
        seen: list[int] = []
        with pytest.raises(SourceError, match=r"shot10\.png' is damaged"):
            seen.extend(frame.index for frame in open_source(folder))
        assert seen == [0, 1]

    def test_without_pictures_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("no picture")
        with pytest.raises(SourceError, match="holds no pictures"):
            open_source(tmp_path)

    def test_close_ends_the_iteration(self, folder: Path) -> None:
        source = open_source(folder)
        seen = []
        for frame in source:
            seen.append(frame.index)
            source.close()
        assert seen == [0]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["b2", "b10", "b1"], ["b1", "b2", "b10"]),
        # numbers inside, leading zeros, several of them
        (["1-10", "1-9", "01-8"], ["01-8", "1-9", "1-10"]),
        # letters whatever their case; numbers before letters
        (["Z", "a", "7"], ["7", "a", "Z"]),
        # digits of other scripts are letters here: int() would take them, a file's name does not mean them
        (["²", "1"], ["1", "²"]),
    ],
)
def test_natural_order(names: list[str], expected: list[str]) -> None:
    assert sorted(names, key=natural_order) == expected


@pytest.mark.parametrize(
    ("size_wh", "target_wh", "inner_wh"),
    [
        ((10, 10), (20, 10), (10, 10)),  # bars left and right
        ((40, 10), (20, 20), (20, 5)),  # bars above and below
        ((1, 1), (7, 3), (3, 3)),  # grown
        ((1000, 1), (10, 10), (10, 1)),  # a line stays one pixel high
        ((8, 6), (8, 6), (8, 6)),  # nothing to do
    ],
)
def test_letterbox_keeps_proportions(
    size_wh: tuple[int, int], target_wh: tuple[int, int], inner_wh: tuple[int, int]
) -> None:
    result = letterboxed(plain(*size_wh, 255), target_wh)
    assert result.shape == (target_wh[1], target_wh[0], 3)
    lit = result[:, :, 0] == 255
    assert (int(lit.any(axis=0).sum()), int(lit.any(axis=1).sum())) == inner_wh
