"""What the work is done with: a video is encoded and read again, a model is run on each device, and both are timed."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from models.cuda_libraries import cuda_obstacle, cudnn_version
from models.errors import MirillaError
from models.onnx_session import Device, OnnxSession
from models.package import find_package
from stream.doctor.finding import Finding
from stream.errors import SinkError, SourceError
from stream.frame_result import FrameResult
from stream.sinks.video import VideoSink
from stream.sources.pattern import PatternSource, PatternSpec
from stream.sources.video_file import VideoFileSource

MODEL = "quickdraw-32"
CLIP = PatternSpec(1280, 720, frames=25)
RUNS = 50
"""Of the model, after the one that warms it up; the middle one counts."""

_VIDEO, _MODELS = "video", "models"
_SMI_SECONDS = 10


def video_findings() -> Iterator[Finding]:
    """Encode a clip as `--sink out.mp4` does, and read it as `--source` does."""
    codecs = ".".join(map(str, av.library_versions["libavcodec"]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        mend = "pip install --force-reinstall av"
        try:
            seconds = _encode(path)
        except (SinkError, av.FFmpegError, ValueError) as error:
            yield Finding(_VIDEO, "H.264 encoder", "broken", str(error), mend, is_needed=True)
            return
        speed = f"1280x720 at {CLIP.frames / seconds:.0f} frames a second (libavcodec {codecs})"
        yield Finding(_VIDEO, "H.264 encoder", "works", speed, is_needed=True)
        began = time.perf_counter()
        try:
            with VideoFileSource(path) as source:
                count = sum(1 for _ in source)
        except SourceError as error:
            yield Finding(_VIDEO, "H.264 decoder", "broken", str(error), mend, is_needed=True)
            return
        rate = count / (time.perf_counter() - began)
        yield Finding(_VIDEO, "H.264 decoder", "works", f"1280x720 at {rate:.0f} frames a second", is_needed=True)


def model_findings() -> Iterator[Finding]:
    """Run the bundled model on the CPU and on CUDA."""
    yield _on_device("CPU", "cpu", is_needed=True)
    obstacle = cuda_obstacle()
    graphics = graphics_card()
    if obstacle is not None and graphics:
        yield Finding(_MODELS, "CUDA", "broken", f"{obstacle.what}, for {graphics}", obstacle.mend)
    elif obstacle is not None:
        yield Finding(_MODELS, "CUDA", "absent", obstacle.what, obstacle.mend)
    else:
        yield _on_device("CUDA", "cuda", ", ".join(filter(None, (graphics, f"cuDNN {cudnn_version() or 'missing'}"))))


def graphics_card(run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> str:
    """Name, memory and driver of the NVIDIA cards, as NVIDIA's own program gives them; empty where it is not there."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        answer = run(query, capture_output=True, text=True, timeout=_SMI_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    cards = [[part.strip() for part in line.split(",")] for line in answer.splitlines() if line.count(",") == 2]
    return "; ".join(f"{name}, {memory}, driver {driver}" for name, memory, driver in cards)


def _encode(path: Path) -> float:
    """Write the clip; how many seconds that took."""
    sink = VideoSink(str(path), overwrite=False)
    with PatternSource(CLIP) as source:
        frames = list(source)
        began = time.perf_counter()
        sink.open(source.info)
        for frame in frames:
            sink.write(frame.image, FrameResult(frame))
        sink.close()
    return time.perf_counter() - began


def _on_device(name: str, device: Device, hardware: str = "", *, is_needed: bool = False) -> Finding:
    try:
        session = OnnxSession(find_package(MODEL).model_path, device=device)
        feeds = {node.name: np.zeros([axis or 1 for axis in node.shape], node.dtype) for node in session.inputs}
        session.run(feeds)
        spent = [_milliseconds(session, feeds) for _ in range(RUNS)]
    except MirillaError as error:
        what, _, mend = str(error).partition("; ")
        return Finding(_MODELS, name, "broken", what, mend or None, is_needed=is_needed)
    speed = f"runs {MODEL} in {statistics.median(spent):.2f} ms"
    return Finding(_MODELS, name, "works", ", ".join(filter(None, (speed, hardware))), is_needed=is_needed)


def _milliseconds(session: OnnxSession, feeds: dict[str, NDArray[Any]]) -> float:
    began = time.perf_counter()
    session.run(feeds)
    return (time.perf_counter() - began) * 1000
