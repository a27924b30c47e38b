"""Pictures of recorded video come upright, with square pixels, in the right colours, and nothing see-through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from stream.sources import open_source
from stream.sources.upright import Orientation
from tests.stream.sources.clips import H264, decoded_by_ffmpeg, largest_difference, make_clip, with_exif_orientation

COLOUR_BGR = (20, 50, 200)
COLOUR = "0xC83214"


def first_image(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return next(iter(open_source(path))).image


def remuxed(path: Path, name: str, turn: Callable[[av.VideoStream], None]) -> Path:
    """A copy of a file that tells players to turn its picture."""
    turned = path.with_name(name)
    with av.open(str(path)) as source, av.open(str(turned), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        turn(copy)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    return turned


class TestOrientation:
    @pytest.mark.parametrize("degrees", [0, 90, 180, 270])
    @pytest.mark.parametrize(("hflip", "vflip"), [(False, False), (True, False), (False, True)])
    def test_all_eight_are_shown_as_ffmpeg_shows_them(
        self, ffmpeg: Path, tmp_path: Path, degrees: int, hflip: bool, vflip: bool
    ) -> None:
        lossless = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p")
        plain = make_clip(ffmpeg, tmp_path / "plain.mp4", *lossless, graph="testsrc2=s=66x48:r=10:d=0.3")
        path = remuxed(plain, "turned.mp4", lambda stream: stream.set_display_rotation(degrees, hflip, vflip))
        size_wh = (48, 66) if degrees in (90, 270) else (66, 48)
        source = open_source(path)
        assert (source.info.width, source.info.height) == size_wh
        for frame, expected in zip(source, decoded_by_ffmpeg(ffmpeg, path, size_wh), strict=True):
            assert largest_difference(frame.image, expected) <= 2

    def test_a_phone_held_upright_films_upright(self, ffmpeg: Path, tmp_path: Path) -> None:
        """It stores the picture lying, and the matrix of a quarter clockwise: (x, y) to (-y, x), ISO/IEC 14496-12."""
        lying = make_clip(ffmpeg, tmp_path / "lying.mp4", *H264, graph="testsrc2=s=64x48:r=10:d=0.3")
        matrix = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
        upright = remuxed(lying, "upright.mp4", lambda stream: stream.set_display_matrix(matrix))
        assert np.array_equal(first_image(upright), np.rot90(first_image(lying), k=-1))

    @pytest.mark.parametrize("orientation", [1, 3, 6, 8])
    def test_motion_jpeg_with_exif_is_turned(self, tmp_path: Path, orientation: int) -> None:
        """Some cameras film pictures with EXIF, which PyAV 18 cannot list: the angle has to come another way."""
        grey = np.tile(np.linspace(0, 240, 48).astype(np.uint8), (32, 1))
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))[1].tobytes()
        picture = with_exif_orientation(jpeg, orientation)
        path = tmp_path / "a.mjpeg"
        path.write_bytes(picture * 2)
        expected = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        assert expected is not None
        assert largest_difference(first_image(path), expected.astype(np.uint8)) <= 3

    @pytest.mark.parametrize(
        ("matrix", "expected"),
        [
            # 3 degrees askew counts as straight
            ((65446, 3430, 0, -3430, 65446, 0, 0, 0, 1 << 30), Orientation()),
            # 87 degrees counts as a quarter, counter-clockwise
            ((3430, -65446, 0, 65446, 3430, 0, 0, 0, 1 << 30), Orientation(True, False, True)),
        ],
    )
    def test_angles_are_rounded_to_quarters(self, matrix: tuple[int, ...], expected: Orientation) -> None:
        assert Orientation.from_display_matrix(np.array(matrix, np.int32).tobytes()) == expected


class TestColour:
    @pytest.mark.parametrize(
        ("size", "pixel_format", "matrix", "full_range", "is_tagged"),
        [
            ("64x48", "yuv420p", "bt601", False, True),
            ("64x48", "yuv420p", "bt709", False, True),
            ("64x48", "yuv420p", "bt709", True, True),
            ("64x48", "yuv420p", "bt601", True, True),
            # deeper and finer than 4:2:0 8 bit
            ("64x48", "yuv422p10le", "bt709", False, True),
            ("64x48", "yuv444p", "bt709", False, True),
            ("64x48", "yuv420p10le", "bt2020nc", False, True),
            # odd sides: half a chroma sample at the edge
            ("65x49", "yuv420p", "bt709", False, True),
            # no matrix named: BT.601 below 720 lines, BT.709 from there
            ("64x718", "yuv420p", "bt601", False, False),
            ("64x720", "yuv420p", "bt709", False, False),
            # RGB needs none, whatever its height
            ("64x48", "gbrp", "bt601", False, False),
            ("64x720", "bgr0", "bt709", False, False),
        ],
    )
    def test_a_known_colour_comes_back(
        self,
        ffmpeg: Path,
        tmp_path: Path,
        size: str,
        pixel_format: str,
        matrix: str,
        full_range: bool,
        is_tagged: bool,
    ) -> None:
        """The colour that went in is the judge: no decoder's opinion is asked."""
        reach = "pc" if full_range else "tv"
        convert = f"scale=out_color_matrix={'bt2020' if matrix == 'bt2020nc' else matrix}:out_range={reach}"
        # Odd sides are cut from even ones: ffmpeg's own scaler dims the colour of a last odd column.
        even = "x".join(str(int(side) + int(side) % 2) for side in size.split("x"))
        graph = f"color={COLOUR}:s={even}:r=10:d=0.1,format=gbrp"
        if pixel_format.startswith("yuv"):
            graph = f"{graph},{convert},format={pixel_format},crop={size.replace('x', ':')}:0:0:exact=1"
        tag = {"bt601": "smpte170m"}.get(matrix, matrix)
        tags = ("-colorspace", tag, "-color_range", reach) if is_tagged else ()
        path = make_clip(
            ffmpeg,
            tmp_path / "a.mkv",
            "-c:v",
            "ffv1",
            "-pix_fmt",
            pixel_format,
            *tags,
            graph=f"{graph},setparams=colorspace={tag if is_tagged else 'unknown'}",
        )
        image = first_image(path)
        assert largest_difference(image, np.full_like(image, COLOUR_BGR)) <= 3

    def test_a_real_picture_is_that_of_ffmpeg(self, ffmpeg: Path, tmp_path: Path) -> None:
        """4:4:4, so that no two ways of spreading colour over pixels can differ."""
        options = ("-c:v", "ffv1", "-pix_fmt", "yuv444p")
        path = make_clip(
            ffmpeg, tmp_path / "a.mkv", *options, graph="testsrc2=s=98x66:r=10:d=0.3,format=yuv444p,crop=97:65"
        )
        for frame, expected in zip(open_source(path), decoded_by_ffmpeg(ffmpeg, path, (97, 65)), strict=True):
            assert largest_difference(frame.image, expected) <= 2


class TestTransparency:
    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("a.gif", ()),
            ("a.webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-lossless", "1")),
            ("vp8.webm", ("-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-crf", "4", "-b:v", "1M")),
            ("a.mov", ("-c:v", "qtrle", "-pix_fmt", "argb")),
        ],
    )
    def test_lies_over_white(self, ffmpeg: Path, tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
        """Left half red, right half transparent."""
        graph = "color=red:s=64x48:r=10:d=0.2,format=rgba,geq=r=255:g=0:b=0:a='255*lt(X,32)'"
        if name.endswith(".gif"):
            graph += ",split[a][b];[a]palettegen[p];[b][p]paletteuse"
        image = first_image(make_clip(ffmpeg, tmp_path / name, *options, graph=graph))
        assert largest_difference(image[4:-4, 4:28], np.full((40, 24, 3), (0, 0, 255), np.uint8)) <= 6
        assert largest_difference(image[4:-4, 36:60], np.full((40, 24, 3), 255, np.uint8)) <= 6

    def test_half_of_it_is_half_white(self, ffmpeg: Path, tmp_path: Path) -> None:
        graph = "color=blue:s=16x16:r=10:d=0.1,format=rgba,geq=r=0:g=0:b=255:a=128"
        image = first_image(make_clip(ffmpeg, tmp_path / "a.mov", "-c:v", "qtrle", "-pix_fmt", "argb", graph=graph))
        # 255 - 128 = 127 of white under 128 parts of pure blue
        assert largest_difference(image, np.full((16, 16, 3), (255, 127, 127), np.uint8)) <= 1


class TestPixelShape:
    @pytest.mark.parametrize(
        ("aspect", "expected_wh"),
        [
            ("4/3", (85, 48)),  # anamorphic: 64 * 4 / 3 = 85.3
            ("1/2", (32, 48)),
            ("1/1", (64, 48)),
            ("200/1", (64, 48)),  # nonsense, so square
        ],
    )
    def test_pixels_come_out_square(
        self, ffmpeg: Path, tmp_path: Path, aspect: str, expected_wh: tuple[int, int]
    ) -> None:
        graph = f"testsrc2=s=64x48:r=10:d=0.2,setsar={aspect}"
        source = open_source(make_clip(ffmpeg, tmp_path / "a.mp4", *H264, graph=graph))
        assert (source.info.width, source.info.height) == expected_wh
        assert {frame.size_wh for frame in source} == {expected_wh}

    def test_the_stretch_is_along_the_stored_width(self, ffmpeg: Path, tmp_path: Path) -> None:
        wide = make_clip(ffmpeg, tmp_path / "a.mp4", *H264, graph="testsrc2=s=64x48:r=10:d=0.2,setsar=2/1")
        source = open_source(remuxed(wide, "turned.mp4", lambda stream: stream.set_display_rotation(90)))
        assert {frame.size_wh for frame in source} == {(source.info.width, source.info.height)} == {(48, 128)}
