"""Imports point one way, and a machine that only runs video never imports what only export and training need."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "transformers", "optimum", "onnx", "scipy", "matplotlib"}
# Loaded only where something is tracked, or asked for; SciPy comes with them.
FOR_TRACKING = {"trackers", "supervision"}
PACKAGES = ("stream", "models", "exporters")

# Where a module may be imported: files or folders, relative to the root.
ONLY_IN = {
    # Runs graphs in the one file; the others look for its libraries, and rewrite graphs in eight bits.
    "onnxruntime": {"models/onnx_session.py", "models/cuda_libraries.py", "exporters/precision.py"},
    **{name: {"stream/web"} for name in ("asyncio", "aiortc", "fastapi", "starlette", "uvicorn")},
    "av": {"stream"},
    "trackers": {"stream/tracking.py"},
    "supervision": {"models/detections.py", "stream/tracking.py"},
    "tokenizers": {"models/text_encoder.py", "exporters/zero_shot.py"},
    "faster_coco_eval": {"models/evaluation/average_precision.py"},
    **{name: {"exporters", "models/networks", "models/training"} for name in HEAVY - {"matplotlib"}},
    "matplotlib": {"exporters", "models/networks", "models/training", "models/evaluation/charts.py"},
}
NEVER = {
    "models": {"stream", "exporters"},
    "exporters": {"stream"},
    "stream": {"exporters", "models.networks", "models.training"},
}
LAZY = {"stream/cli.py", "stream/model_commands.py", "stream/train_commands.py", "stream/segmenter_commands.py"}
"""May import anything, but inside a function only."""


def python_files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """Every module named by an import in a syntax tree."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if relative in LAZY:
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = imported(tree)
    package = relative.split("/")[0]
    for forbidden in NEVER[package]:
        assert not [name for name in names if within(name, forbidden)], f"{relative} imports {forbidden}"
    for module, places in ONLY_IN.items():
        if not any(relative == place or relative.startswith(f"{place}/") for place in places):
            assert not [name for name in names if within(name, module)], f"{relative} imports {module}"


def test_running_video_imports_nothing_heavy() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in python_files()
        if path.parts[len(ROOT.parts)] == "stream" and path.name != "__main__.py"
    ]
    program = (
        f"import importlib, sys\nfor m in {modules!r} + ['models']: importlib.import_module(m)\nprint(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(result.stdout.split())
    assert "stream.cli" in loaded
    assert not loaded & (HEAVY | FOR_TRACKING)
