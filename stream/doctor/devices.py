"""The screen and the cameras: opened, not only listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stream.doctor.finding import Finding
from stream.errors import SourceError
from stream.sinks.gui import display_obstacle
from stream.sources.cameras import Cameras
from stream.sources.webcam import Webcam
from stream.sources.webcam_spec import WebcamSpec

_SECTION = "devices"


def device_findings(
    cameras: Cameras | None = None, obstacle: Callable[[], str | None] = display_obstacle
) -> Iterator[Finding]:
    """The screen, and each camera with the size of its first picture.

    Args:
        cameras: those of this machine.
        obstacle: what keeps a window from opening, with the mend behind a semicolon.
    """
    what, _, mend = (obstacle() or "").partition("; ")
    if what:
        yield Finding(_SECTION, "window", "absent", what, mend or None)
    else:
        yield Finding(_SECTION, "window", "works", "--sink window opens here")
    cameras = cameras or Cameras()
    present = cameras.present()
    if not present:
        yield Finding(_SECTION, "camera", "absent", "none was found", "plug one in, for --source 0")
    for camera in present:
        name = f"camera {camera}"
        try:
            with Webcam(WebcamSpec(str(camera.device)), cameras) as opened:
                size = f"{opened.info.width}x{opened.info.height}"
                yield Finding(_SECTION, name, "works", f"gives {size}: --source {camera.device}")
        except SourceError as error:
            # Its line names the camera first and the others last, which a table has already.
            what, _, mend = str(error).rpartition("; ")[0].partition("' ")[2].partition("; ")
            yield Finding(_SECTION, name, "broken", what, mend or None)
