"""Whether CUDA can work on this machine, and what is missing where it cannot.

ONNX Runtime says so only in its log, and then runs on the CPU; so each library is loaded here first, by its name. Asked
before a session is made (main or infer thread) and by `mirilla doctor`.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import onnxruntime

CUDA = "CUDAExecutionProvider"
INSTALL = "pip install 'mirilla[cuda]'"

_IS_WINDOWS = sys.platform == "win32"
_DRIVER = "nvcuda.dll" if _IS_WINDOWS else "libcuda.so.1"
_CUDNN = "cudnn64_9.dll" if _IS_WINDOWS else "libcudnn.so.9"
_PROVIDER = "onnxruntime_providers_{}.dll" if _IS_WINDOWS else "libonnxruntime_providers_{}.so"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps CUDA from working.

    Attributes:
        what: in a few words: `libcublasLt.so.13 is missing`.
        mend: what to do about it: `pip install 'mirilla[cuda]'`.
    """

    what: str
    mend: str


@cache
def cuda_obstacle() -> Obstacle | None:
    """The first thing that keeps CUDA from working here; None where all libraries load, which a first run confirms."""
    if CUDA not in onnxruntime.get_available_providers():
        if sys.platform == "darwin":
            return Obstacle("there is no CUDA on macOS", "leave the model on the CPU")
        return Obstacle("the installed onnxruntime is a build without CUDA", "pip install onnxruntime-gpu")
    if not _loads(_DRIVER):
        return Obstacle("the NVIDIA driver is missing", f"install it from nvidia.com ({_DRIVER} cannot be loaded)")
    _preload()
    folder = Path(onnxruntime.__file__).parent / "capi"
    try:
        # The shared half first: the CUDA provider is linked against it.
        ctypes.CDLL(os.fspath(folder / _PROVIDER.format("shared")), mode=ctypes.RTLD_GLOBAL)
        ctypes.CDLL(os.fspath(folder / _PROVIDER.format("cuda")))
    except OSError as error:
        return Obstacle(missing_library(str(error)), INSTALL)
    return None


def missing_library(message: str) -> str:
    """A loader's message in our words.

    Args:
        message: as the loader gives it: `libcublasLt.so.13: cannot open shared object file: ...`.
    """
    first_line = message.strip().splitlines()[0] if message.strip() else "a library of CUDA cannot be loaded"
    name, colon, reason = first_line.partition(": ")
    return f"{name} is missing" if colon and "cannot open shared object file" in reason else first_line


def cudnn_version() -> str | None:
    """The version of cuDNN that would be used, as `9.13.0`; None where there is none.

    ONNX Runtime loads it late, and only for what needs it: convolutions, above all.
    """
    if CUDA in onnxruntime.get_available_providers():
        _preload()
    try:
        get_version = ctypes.CDLL(_CUDNN).cudnnGetVersion
    except (OSError, AttributeError):
        return None
    get_version.restype = ctypes.c_size_t
    version = int(get_version())
    # From cuDNN 9 on: 10000 * major + 100 * minor + patch.
    return f"{version // 10000}.{version // 100 % 100}.{version % 100}"


@cache
def _preload() -> None:
    # Finds the libraries that pip installed; prints what it does not find, which is said better here.
    with contextlib.redirect_stdout(io.StringIO()):
        onnxruntime.preload_dlls()


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
