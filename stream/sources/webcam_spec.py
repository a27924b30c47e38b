"""What the user writes for a webcam, taken apart: `0`, `/dev/video2`, `webcam:NAME`, with wishes behind it.

`0:1280x720@30` asks for a size and a rate, `0@15` for a rate, `0:YUYV` and `0:640x480@15:YUYV` for a pixel format; what
is not asked for is asked for as in `WISH`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from stream.errors import SourceError
from stream.sources.cameras import CameraFormat, Cameras
from stream.sources.paths import existing_path

WISH = CameraFormat((1280, 720), 30, "MJPG")
"""What a camera is asked for where the user asks for nothing."""

_PREFIX = "webcam:"
_OPTIONS = re.compile(
    r"(?P<device>.*?)(?::(?P<width>\d{1,5})x(?P<height>\d{1,5}))?(?:@(?P<rate>\d+(?:\.\d+)?))?(?::(?P<code>[A-Z0-9]{4}))?"
)


class WebcamSpec(NamedTuple):
    """Which camera, and what to ask it for."""

    device: str
    wish: CameraFormat = WISH

    @classmethod
    def parse(cls, text: str) -> WebcamSpec:
        """Read `0`, `0:1280x720@30`, `/dev/video2:MJPG`, `webcam:NAME:640x480`.

        Raises:
            SourceError: a number is out of range.
        """
        match = _OPTIONS.fullmatch(text.removeprefix(_PREFIX))
        if match is None or not match["device"]:
            raise SourceError(f"source: {text!r} names no camera; write 0, webcam:NAME or 0:1280x720@30")
        wish = WISH
        if match["width"]:
            wish = replace(wish, size_wh=(int(match["width"]), int(match["height"])))
        if match["rate"]:
            wish = replace(wish, rate=float(match["rate"]))
        if match["code"]:
            wish = replace(wish, pixel_format=match["code"])
        if 0 in wish.size_wh or (wish.rate is not None and not 0 < wish.rate <= 1000):
            raise SourceError(f"source: {text!r}: give a size above 0x0 and a rate above 0, as in 0:1280x720@30")
        return cls(match["device"], wish)

    def is_granted(self, granted: CameraFormat) -> bool:
        """Whether a camera gives what was asked for; what it does not say it is believed."""
        wish = self.wish
        return (
            wish.size_wh == granted.size_wh
            and (wish.rate is None or granted.rate is None or abs(wish.rate - granted.rate) < 1)
            and granted.pixel_format in (None, wish.pixel_format)
        )


def means_webcam(text: str, cameras: Cameras | None = None) -> bool:
    """Whether a `--source` text means a webcam: by its form, or because a camera that is here has this name."""
    if text.startswith(_PREFIX):
        return True
    match = _OPTIONS.fullmatch(text)
    device = match["device"] if match else text
    if device.isdecimal() or device.startswith(("/dev/video", "/dev/v4l/")):
        return True
    is_path = existing_path(text) is not None or not device
    return not is_path and any(camera.name.casefold() == device.casefold() for camera in (cameras or Cameras()).named())
