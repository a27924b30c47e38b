"""What the shared encoders write, read by libav's decoders."""

from __future__ import annotations

from collections.abc import Set
from fractions import Fraction
from typing import get_args

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from stream.sinks.planar_colours import PlanarConverter
from stream.web.picture_encoder import Codec, EncodedPicture, PictureEncoder, planar_picture

CODECS = get_args(Codec)
Colour = tuple[int, int, int]
DECODERS = {"H264": "h264", "VP8": "vp8"}
SIZE_WH = (96, 64)


def encoded(
    codec: Codec, colours_bgr: list[Colour], *, keyframes: Set[int] = frozenset(), size_wh: tuple[int, int]
) -> list[EncodedPicture]:
    """One flat picture for each colour, 3000 ticks apart."""
    converter = PlanarConverter("bt601")
    width, height = size_wh
    encoder = PictureEncoder(codec, (width + width % 2, height + height % 2), 500_000, Fraction(30))
    pictures = []
    for number, colour in enumerate(colours_bgr):
        image = np.full((height, width, 3), colour, np.uint8)
        planar = planar_picture(image, 3000 * number, converter)
        found = encoder.encode(planar, is_keyframe=number in keyframes)
        assert len(found) == 1, "an encoder held a picture back"
        pictures += found
    return pictures


def decoded(codec: Codec, pictures: list[EncodedPicture]) -> list[VideoFrame]:
    context = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(context, VideoCodecContext)
    frames = [frame for picture in pictures for frame in context.decode(picture.packet)]
    return [*frames, *context.decode(None)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size_wh", [(96, 64), (97, 65), (64, 128), (16, 16)], ids=["even", "odd", "portrait", "small"])
def test_pictures_come_back_with_their_colours_and_times(codec: Codec, size_wh: tuple[int, int]) -> None:
    colours = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (128, 128, 128), (255, 255, 255)]
    frames = decoded(codec, encoded(codec, colours, keyframes={0, 1, 2, 3, 4}, size_wh=size_wh))
    assert [(frame.width, frame.height) for frame in frames] == [
        (size_wh[0] + size_wh[0] % 2, size_wh[1] + size_wh[1] % 2)
    ] * len(colours)
    assert [frame.pts for frame in frames] == [0, 3000, 6000, 9000, 12000]
    for frame, colour in zip(frames, colours, strict=True):
        # swscale's own BT.601, as the one that browsers have.
        middle = frame.to_ndarray(format="bgr24", src_colorspace="ITU601")[frame.height // 2, frame.width // 2]
        assert middle.tolist() == pytest.approx(colour, abs=6)


def test_h264_says_by_which_matrix_its_colours_are_made() -> None:
    frame = decoded("H264", encoded("H264", [(0, 0, 255)], size_wh=SIZE_WH))[0]
    assert (frame.colorspace, frame.color_range) == (6, 1)  # SMPTE 170M; limited ("MPEG")


@pytest.mark.parametrize("codec", CODECS)
def test_keyframes_come_first_and_when_asked_for_and_never_else(codec: Codec) -> None:
    pictures = encoded(codec, [(8 * n, 255 - 8 * n, 90) for n in range(30)], keyframes={11, 12, 20}, size_wh=SIZE_WH)
    assert [n for n, one in enumerate(pictures) if one.is_keyframe] == [0, 11, 12, 20]
    # A decoder that knows nothing of what was before begins there.
    begun = decoded(codec, pictures[20:])
    assert len(begun) == 10
    assert begun[0].pts == 20 * 3000


def test_h264_is_what_the_answer_promises_constrained_baseline() -> None:
    stream = bytes(encoded("H264", [(9, 9, 9)], size_wh=SIZE_WH)[0].packet)
    sps = stream[stream.index(b"\x00\x00\x01\x67") + 4 :]
    # ITU-T H.264, 7.3.2.1.1: profile_idc 66, then the flags; A.2.1.1: constraint_set1_flag makes it constrained.
    assert sps[0] == 66
    assert sps[1] & 0x40
