"""The cameras of this machine: which there are, and OpenCV's way to open and read one. The only place that asks OpenCV.

Called where a webcam opens (its reader thread), and by `mirilla doctor`. Tests put a double in the place of `Cameras`.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Device = int | str
"""What OpenCV opens: a number, or a path such as `/dev/v4l/by-id/usb-...`."""

_PROBED = range(6)
_SELECT_SECONDS = "2"
"""How long OpenCV waits for a picture of a V4L2 camera that stalls; its default of 10 would hold a close up as long."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that is there.

    Attributes:
        device: what opens it.
        name: what its maker calls it; `camera` where the system does not tell.
    """

    device: Device
    name: str

    def __str__(self) -> str:
        return f"{self.device} ({self.name})"


@dataclass(frozen=True, slots=True)
class CameraFormat:
    """What a camera is asked for, or what it says that it gives.

    Attributes:
        size_wh: width and height in pixels.
        rate: frames a second; None where it does not say.
        pixel_format: the FOURCC of what comes over the wire: `MJPG`; None where it does not say.
    """

    size_wh: tuple[int, int]
    rate: float | None = None
    pixel_format: str | None = None

    def __str__(self) -> str:
        width, height = self.size_wh
        rate = "unknown rate" if self.rate is None else f"{self.rate:g} fps"
        return ", ".join(filter(None, (f"{width}x{height}", rate, self.pixel_format)))


class Picture(NamedTuple):
    """What a camera gave.

    Attributes:
        image: uint8 (H, W, 3), BGR.
        taken_ns: monotonic time at which the driver got it; None where it does not tell.
    """

    image: NDArray[np.uint8]
    taken_ns: int | None = None


class CameraPort(Protocol):
    """An open camera; used by one thread."""

    def granted(self) -> CameraFormat:
        """What the camera says that it gives, whatever it was asked for."""

    def read(self) -> Picture | None:
        """Wait for the next picture; None where none came."""

    def release(self) -> None:
        """Let the camera go."""


class OpenCvCamera:
    """A `CameraPort` over `cv2.VideoCapture`."""

    def __init__(self, device: Device, asked: CameraFormat, backend: int = cv2.CAP_ANY) -> None:
        """Open, and ask; whether it opened says `is_open`.

        Args:
            device: a number or a path.
            asked: wishes; what was granted says `granted`.
            backend: of OpenCV, as in `cv2.CAP_V4L2`.
        """
        # Read by OpenCV when it first waits for a camera.
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", _SELECT_SECONDS)
        self._capture = cv2.VideoCapture(device, backend)
        self.is_open = self._capture.isOpened()
        self._tells_time = self.is_open and self._capture.getBackendName() == "V4L2"
        if self.is_open:
            # The pixel format first: many cameras give large pictures at full rate only as MJPG.
            if asked.pixel_format is not None:
                self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*asked.pixel_format))
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, asked.size_wh[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, asked.size_wh[1])
            if asked.rate is not None:
                self._capture.set(cv2.CAP_PROP_FPS, asked.rate)

    def granted(self) -> CameraFormat:
        """What OpenCV reads back."""
        width, height, rate, code = (
            self._capture.get(key)
            for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS, cv2.CAP_PROP_FOURCC)
        )
        letters = max(0, int(code)).to_bytes(8, "little")[:4].decode("latin-1").strip("\0 ")
        return CameraFormat(
            (int(width), int(height)), rate if 0 < rate <= 1000 else None, letters if letters.isprintable() else None
        )

    def read(self) -> Picture | None:
        """See `CameraPort`."""
        try:
            is_there, image = self._capture.read()
        except cv2.error:  # a picture that arrived damaged
            return None
        if not is_there or image.ndim != 3:
            return None
        # V4L2's time stamps are of CLOCK_MONOTONIC, as Python's are on Linux.
        taken_ns = int(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6) if self._tells_time else None
        return Picture(np.asarray(image, np.uint8), taken_ns)

    def release(self) -> None:
        """See `CameraPort`."""
        self._capture.release()


class Cameras:
    """The cameras of this machine."""

    def __init__(
        self,
        listing: Path = Path("/sys/class/video4linux"),
        devices: Path = Path("/dev"),
        *,
        is_linux: bool = platform.system() == "Linux",
    ) -> None:
        """Look where Linux says what there is.

        Args:
            listing: a folder a device, with files `name` and `index`.
            devices: where the devices themselves are.
            is_linux: whether the system lists its cameras so.
        """
        self._listing = listing
        self._devices = devices
        self._is_linux = is_linux

    def named(self) -> list[Camera]:
        """The cameras as Linux lists them, at once and without opening one; empty on other systems."""
        found = {}
        for folder in self._listing.glob("video*"):
            number = re.fullmatch(r"video(\d+)", folder.name)
            # A camera has further devices, for its metadata; only the first gives pictures.
            if number and _text(folder / "index") in ("", "0"):
                found[int(number[1])] = Camera(int(number[1]), _text(folder / "name") or "camera")
        return [found[number] for number in sorted(found)]

    def present(self) -> list[Camera]:
        """Every camera that can be found; where the system does not list them, the first numbers are tried."""
        if self._is_linux:
            return self.named()
        found = []
        with _quiet_opencv():
            for number in _PROBED:
                camera = OpenCvCamera(number, CameraFormat((640, 480)))
                if camera.is_open:
                    found.append(Camera(number, "camera"))
                camera.release()
        return found

    def open(self, device: Device, asked: CameraFormat) -> CameraPort | None:
        """Open a camera, or None where it does not open: `obstacle` says why."""
        with _quiet_opencv():
            camera = OpenCvCamera(device, asked, cv2.CAP_V4L2 if self._is_linux else cv2.CAP_ANY)
        if camera.is_open:
            return camera
        camera.release()
        return None

    def obstacle(self, device: Device) -> str:
        """Why a camera does not open, with the mend."""
        if not self._is_linux:
            return (
                "does not open; it is not there, in use by another program, or cameras are forbidden to this one "
                "(see the system's privacy settings)"
            )
        path = self.path_of(device)
        if not path.exists():
            return "is not there"
        if not os.access(path, os.R_OK | os.W_OK):
            return f"is forbidden to you; run 'sudo usermod -aG {_group(path)} $USER' and log in again"
        return "does not open; it is in use by another program, or no camera: close the other program"

    def path_of(self, device: Device) -> Path:
        """Where a device lies on Linux."""
        return self._devices / f"video{device}" if isinstance(device, int) else Path(device)


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """OpenCV's own remarks on a camera that does not open would stand beside our one line about it."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _group(path: Path) -> str:
    try:
        return path.group()
    except (KeyError, OSError, NotImplementedError):
        return "video"
