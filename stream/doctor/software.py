"""Python and the packages: which versions there are, which are missing, and which are in one another's way."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

from stream.doctor.finding import Finding

LEAST_PYTHON = (3, 11)
PACKAGES = (
    "aiortc",
    "av",
    "cryptography",
    "fastapi",
    "huggingface-hub",
    "ifaddr",
    "numpy",
    "opencv-python",
    "pillow",
    "prometheus-client",
    "pydantic",
    "PyYAML",
    "rich",
    "segno",
    "supervision",
    "tokenizers",
    "trackers",
    "typer",
    "uvicorn",
    "websockets",
)
"""What Mirilla runs on, besides ONNX Runtime, which has two builds."""

RUNTIMES = ("onnxruntime-gpu", "onnxruntime")
EXTRAS = {"export": ("torch", "transformers", "optimum-onnx", "onnx"), "eval": ("faster-coco-eval", "matplotlib")}

_CLASHES = (
    (("opencv-python", "opencv-python-headless"), "opencv-python"),
    (RUNTIMES, "onnxruntime-gpu"),
)
"""Packages that write to the same folder, and which of them should stay."""

_SECTION = "software"


def installed_version(package: str) -> str | None:
    """The version of a package, or None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def software_findings(version_of: Callable[[str], str | None] = installed_version) -> Iterator[Finding]:
    """Python, Mirilla, what it runs on, and its extras.

    Args:
        version_of: as `installed_version`.
    """
    yield _python(sys.version_info[:2])
    yield Finding(_SECTION, "mirilla", "works", version_of("mirilla") or "not installed, run from its folder")
    for package in PACKAGES:
        yield _package(package, version_of(package))
    runtime = next((name for name in RUNTIMES if version_of(name)), RUNTIMES[0])
    yield _package(runtime, version_of(runtime))
    for packages, keep in _CLASHES:
        there = [package for package in packages if version_of(package)]
        if len(there) > 1:
            mend = f"pip uninstall -y {' '.join(there)}; pip install {keep}"
            yield Finding(_SECTION, " and ".join(there), "broken", "are in each other's way", mend, is_needed=True)
    for extra, brought in EXTRAS.items():
        yield _extra(extra, {package: version_of(package) for package in brought})


def _python(found: tuple[int, int]) -> Finding:
    says = f"{platform.python_version()} on {platform.platform(terse=True)}, {platform.machine()}"
    if found >= LEAST_PYTHON:
        return Finding(_SECTION, "Python", "works", says, is_needed=True)
    least = ".".join(map(str, LEAST_PYTHON))
    return Finding(_SECTION, "Python", "broken", says, f"install Python {least} or newer", is_needed=True)


def _package(package: str, found: str | None) -> Finding:
    if found is None:
        return Finding(_SECTION, package, "absent", "not installed", f"pip install {package}", is_needed=True)
    return Finding(_SECTION, package, "works", found, is_needed=True)


def _extra(extra: str, versions: dict[str, str | None]) -> Finding:
    missing = [package for package, found in versions.items() if found is None]
    if missing:
        says = f"without {', '.join(missing)}"
        return Finding(
            _SECTION, f"extra [{extra}]", "absent", says, f"pip install 'mirilla[{extra}]', to {_USE[extra]}"
        )
    says = ", ".join(f"{package} {found}" for package, found in versions.items())
    return Finding(_SECTION, f"extra [{extra}]", "works", says)


_USE = {"export": "export and train models", "eval": "evaluate faster, and draw charts"}
