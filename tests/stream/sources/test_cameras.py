"""Which cameras there are, what is said of one that does not open, and OpenCV behind the adapter."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from stream.errors import SourceError
from stream.sources.cameras import Camera, CameraFormat, Cameras, OpenCvCamera
from stream.sources.webcam_spec import WISH, WebcamSpec, means_webcam
from tests.stream.sources.clips import H264, make_clip


@pytest.fixture
def cameras(tmp_path: Path) -> Cameras:
    """As Linux lists them: two cameras, the first with a device for its metadata, and something that is no camera."""
    for folder, index, name in (
        ("video0", "0", "HD Webcam: HD Webcam"),
        ("video1", "1", "HD Webcam: HD Webcam"),
        ("video10", "0", "Kamera für \N{CAMERA}"),
        ("video2", None, None),
        ("v4l-subdev0", "0", "sensor"),
    ):
        place = tmp_path / "sys" / folder
        place.mkdir(parents=True)
        if index is not None and name is not None:
            (place / "index").write_text(f"{index}\n", encoding="utf-8")
            (place / "name").write_text(f"{name}\n", encoding="utf-8")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "video0").touch()
    return Cameras(tmp_path / "sys", tmp_path / "dev", is_linux=True)


def test_linux_lists_its_cameras_by_number_and_name(cameras: Cameras, tmp_path: Path) -> None:
    expected = [Camera(0, "HD Webcam: HD Webcam"), Camera(2, "camera"), Camera(10, "Kamera für \N{CAMERA}")]
    assert cameras.named() == cameras.present() == expected
    assert Cameras(tmp_path / "nowhere", tmp_path).present() == []


def test_a_system_that_does_not_list_its_cameras_is_tried_number_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Capture:
        def __init__(self, device: int, _backend: int) -> None:
            self.device = device

        def isOpened(self) -> bool:  # noqa: N802 - cv2.VideoCapture
            return self.device in (0, 3)

        def getBackendName(self) -> str:  # noqa: N802 - cv2.VideoCapture
            return "AVFOUNDATION"

        def set(self, _key: int, _value: float) -> bool:
            return True

        def release(self) -> None:
            pass

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    elsewhere = Cameras(tmp_path, tmp_path, is_linux=False)
    assert elsewhere.named() == []
    assert elsewhere.present() == [Camera(0, "camera"), Camera(3, "camera")]


@pytest.mark.parametrize(
    ("device", "is_allowed", "expected"),
    [
        (7, True, "is not there"),
        ("/nowhere/video7", True, "is not there"),
        (0, True, "does not open; it is in use by another program, or no camera: close the other program"),
        (0, False, "is forbidden to you; run 'sudo usermod -aG GROUP $USER' and log in again"),
    ],
)
def test_why_a_camera_does_not_open(
    device: int | str,
    is_allowed: bool,
    expected: str,
    cameras: Cameras,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: is_allowed)
    assert cameras.obstacle(device) == expected.replace("GROUP", (tmp_path / "dev" / "video0").group())


def test_what_is_no_camera_does_not_open_and_opencv_keeps_quiet(
    cameras: Cameras, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cameras.open(str(tmp_path / "dev" / "video0"), WISH) is None
    assert capfd.readouterr() == ("", "")


def test_opencv_behind_the_adapter(ffmpeg: Path, tmp_path: Path) -> None:
    """No camera is needed: `cv2.VideoCapture` reads a file by the same calls, and grants nothing."""
    clip = make_clip(ffmpeg, tmp_path / "clip.mp4", *H264)
    expected = cv2.VideoCapture(str(clip)).read()[1]
    camera = OpenCvCamera(str(clip), WISH, cv2.CAP_FFMPEG)
    assert camera.is_open
    height, width = expected.shape[:2]
    assert camera.granted().size_wh == (width, height)
    picture = camera.read()
    assert picture is not None
    np.testing.assert_array_equal(picture.image, expected)
    assert picture.taken_ns is None
    while camera.read() is not None:
        pass
    camera.release()
    assert camera.read() is None


@pytest.mark.parametrize(
    ("text", "device", "wish"),
    [
        ("0", "0", WISH),
        ("12", "12", WISH),
        ("0:640x480", "0", CameraFormat((640, 480), 30, "MJPG")),
        ("0:640x480@15", "0", CameraFormat((640, 480), 15, "MJPG")),
        ("0:1920x1080@29.97:YUYV", "0", CameraFormat((1920, 1080), 29.97, "YUYV")),
        ("0@15", "0", CameraFormat((1280, 720), 15, "MJPG")),
        ("0:H264", "0", CameraFormat((1280, 720), 30, "H264")),
        ("/dev/video2:320x240", "/dev/video2", CameraFormat((320, 240), 30, "MJPG")),
        ("webcam:HD Webcam", "HD Webcam", WISH),
        # a name with a colon in it, as Linux gives them
        ("webcam:HD Webcam: HD Webcam:640x480", "HD Webcam: HD Webcam", CameraFormat((640, 480), 30, "MJPG")),
    ],
)
def test_what_a_camera_is_asked_for_stands_behind_it(text: str, device: str, wish: CameraFormat) -> None:
    assert WebcamSpec.parse(text) == WebcamSpec(device, wish)


@pytest.mark.parametrize("text", ["0:0x480", "0:640x480@0", "0:640x480@5000", "webcam:", "webcam::640x480"])
def test_wishes_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(SourceError, match=r"0:1280x720@30"):
        WebcamSpec.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", True),
        ("0:640x480", True),
        ("0@15:YUYV", True),
        ("/dev/video3", True),
        ("/dev/v4l/by-id/usb-046d-video-index0", True),
        ("webcam:whatever", True),
        # the name of a camera that is there, whole
        ("hd webcam: hd webcam", True),
        ("hd webcam: hd webcam:640x480", True),
        ("hd webcam", False),
        ("0.mp4", False),
        ("-1", False),
        ("", False),
        ("pattern:640x480@25", False),
        ("rtsp://cam:554/live", False),
    ],
)
def test_a_text_means_a_webcam(text: str, expected: bool, cameras: Cameras) -> None:
    assert means_webcam(text, cameras) is expected
