"""The conversion to planar YCbCr against libswscale's, and against the figures of the standards."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from stream.sinks.planar_colours import Matrix, PlanarConverter, ycbcr_from_bgr

MATRICES: list[tuple[Matrix, Colorspace]] = [("bt601", Colorspace.ITU601), ("bt709", Colorspace.ITU709)]


@pytest.mark.parametrize(("matrix", "colorspace"), MATRICES)
@pytest.mark.parametrize(
    ("height", "width"),
    [
        (2, 2),  # one chroma sample
        (48, 64),
        (50, 66),  # even, and no multiple of four
        (720, 1280),
    ],
)
def test_it_agrees_with_swscale(matrix: Matrix, colorspace: Colorspace, height: int, width: int) -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (height // 2, width // 2, 3), dtype=np.uint8)
    # Colours that hold for 2x2 pixels: how chroma is averaged is each converter's own affair.
    image = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    ours = PlanarConverter(matrix).convert(image)
    theirs = av.VideoFrame.from_ndarray(image, "bgr24").reformat(
        format="yuv420p", dst_colorspace=colorspace, dst_color_range=ColorRange.MPEG
    )
    assert (ours.format.name, ours.width, ours.height) == ("yuv420p", width, height)
    difference = np.abs(ours.to_ndarray().astype(int) - theirs.to_ndarray())
    assert difference.max() <= 2


@pytest.mark.parametrize(
    ("matrix", "bgr", "ycbcr"),
    [
        # By hand from Y = 16 + 219 y, C = 128 + 224 c, with the luma shares of each standard.
        ("bt601", (0, 0, 0), (16, 128, 128)),
        ("bt601", (255, 255, 255), (235, 128, 128)),
        ("bt601", (0, 0, 255), (81.481, 90.203, 240)),
        ("bt709", (255, 0, 0), (31.8118, 240, 117.7301)),
        ("bt709", (0, 255, 0), (172.6288, 41.6642, 26.2697)),
    ],
)
def test_the_primaries_have_the_standards_values(
    matrix: Matrix, bgr: tuple[int, int, int], ycbcr: tuple[float, float, float]
) -> None:
    assert ycbcr_from_bgr(matrix) @ np.array([*bgr, 1]) == pytest.approx(ycbcr, abs=5e-4)


def test_chroma_is_the_mean_of_its_pixels() -> None:
    # Two blue and two black pixels: half of blue's distance from the middle, (240 - 128) / 2.
    image = np.array([[[255, 0, 0], [0, 0, 0]], [[0, 0, 0], [255, 0, 0]]], np.uint8)
    planes = PlanarConverter("bt709").convert(image).to_ndarray()
    assert planes[2, 0] == pytest.approx(128 + 56, abs=1)


def test_odd_sides_have_no_such_form() -> None:
    with pytest.raises(ValueError, match="expected even sides, got 3x2"):
        PlanarConverter("bt601").convert(np.zeros((2, 3, 3), np.uint8))
