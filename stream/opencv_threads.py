"""Keeps OpenCV to the thread that calls it while streams run; used by the command around its streams."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """The stages of a stream overlap already: a helper thread of OpenCV would wait for a core that the encoder has."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
