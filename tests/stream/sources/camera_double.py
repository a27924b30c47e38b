"""A camera that plays what it is told, in the place of OpenCV's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stream.sources.cameras import Camera, CameraFormat, CameraPort, Cameras, Device, Picture

FAIL = "fail"
"""A read without a picture."""

HANG = "hang"
"""A read that comes back only when the double is let go, and then without a picture."""


@dataclass
class Play:
    """What a camera does from one opening to the next.

    Attributes:
        reads: `FAIL`, `HANG`, or the grey level of a picture; a read after the last one breaks the reader.
        size_wh: of the pictures.
        granted: what the camera says it gives.
        taken_ns: what its driver says of when the pictures were taken, one a picture.
    """

    reads: Sequence[int | str]
    size_wh: tuple[int, int] = (64, 48)
    granted: CameraFormat = field(default_factory=lambda: CameraFormat((64, 48), 30, "MJPG"))
    taken_ns: Sequence[int] = ()


@dataclass
class Clock:
    """Moves on when it is told to."""

    now_ns: int = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns


class CameraDouble(Cameras):
    """The cameras of a machine, each opening of which is the next play; None does not open.

    A picture is handed out when the test permits one, so that reader and test go in step.
    """

    def __init__(
        self,
        plays: Sequence[Play | None],
        *,
        clock: Clock | None = None,
        step_ns: int = 0,
        named: Sequence[Sequence[Camera]] = ((Camera(0, "HD Webcam"),),),
        why: str = "is not there",
    ) -> None:
        """Be ready.

        Args:
            plays: what each opening gives.
            clock: moved on by `step_ns` at each picture.
            step_ns: from picture to picture.
            named: the cameras that are listed when asked for the first time, the second, ...; the last from then on.
            why: what keeps it from opening.
        """
        super().__init__(is_linux=True)
        self.plays = list(plays)
        self.clock = clock or Clock()
        self.step_ns = step_ns
        self.permits = threading.Semaphore(0)
        self.let_go = threading.Event()
        self.opened: list[Device] = []
        self.asked: list[CameraFormat] = []
        self.released = 0
        self.may_reopen = threading.Event()
        self.may_reopen.set()
        self.hanging = threading.Event()
        self._named = [list(cameras) for cameras in named]
        self._why = why

    def named(self) -> list[Camera]:
        return self._named.pop(0) if len(self._named) > 1 else self._named[0]

    def open(self, device: Device, asked: CameraFormat) -> CameraPort | None:
        assert not self.opened or self.may_reopen.wait(10)
        self.opened.append(device)
        self.asked.append(asked)
        play = self.plays.pop(0) if self.plays else None
        return None if play is None else PortDouble(self, play)

    def obstacle(self, device: Device) -> str:  # noqa: ARG002 - Cameras
        return self._why


class PortDouble:
    """One opening of a camera."""

    def __init__(self, cameras: CameraDouble, play: Play) -> None:
        self._cameras = cameras
        self._play = play
        self._reads = list(play.reads)
        self._taken_ns = list(play.taken_ns)
        self._is_first = True

    def granted(self) -> CameraFormat:
        return self._play.granted

    def read(self) -> Picture | None:
        if not self._reads:
            raise EOFError("the camera has played its part")
        what = self._reads.pop(0)
        if what == HANG:
            self._cameras.hanging.set()
            self._cameras.let_go.wait(10)
        if isinstance(what, str):
            return None
        # The picture that tells the size is there at once.
        if not self._is_first:
            assert self._cameras.permits.acquire(timeout=10)
        self._is_first = False
        self._cameras.clock.now_ns += self._cameras.step_ns
        width, height = self._play.size_wh
        image = np.full((height, width, 3), what, np.uint8)
        return Picture(image, self._taken_ns.pop(0) if self._taken_ns else None)

    def release(self) -> None:
        self._cameras.released += 1
