"""A PyTorch checkpoint becomes a model package: exported by Optimum, compared with PyTorch, described by its manifest.

Called by `mirilla export` and after `mirilla train`. A package that fails its parity check is left, marked as failed.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from optimum.exporters.onnx import export
from transformers import PreTrainedModel

from exporters.errors import ExportError
from exporters.onnx_configs import onnx_config_of
from exporters.parity import BATCH_SIZES, TOLERANCE, measure_parity
from exporters.write_manifest import read_training_record, sketch_manifest
from models.errors import ModelError
from models.manifest import MODEL_NAME, ParitySpec, file_sha256, write_manifest
from models.networks.sketch_cnn import load_sketch_model
from models.onnx_session import OnnxSession
from models.sketch_raster import rasterize_strokes

# What training leaves beside the weights for people to read; it belongs to the package.
COMPANION_FILES = ("README.md", "confusion.png")
_TASK = "image-classification"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a checkpoint is exported.

    Attributes:
        name: the package's; None takes the output folder's.
        opset: ONNX operator set.
        tolerance: the largest absolute difference of an output from PyTorch's that passes.
        overwrite: replace a package that is there already.
    """

    name: str | None = None
    opset: int = 18
    tolerance: float = TOLERANCE
    overwrite: bool = False


def export_package(
    checkpoint: Path,
    output: Path,
    options: ExportOptions | None = None,
    on_step: Callable[[str], None] = lambda step: None,  # noqa: ARG005 - a listener that does not listen
) -> Path:
    """Export a checkpoint folder and return the package folder.

    Args:
        checkpoint: a transformers folder, or one in the course notes' layout.
        output: the package folder; appears when it is whole.
        options: None takes the defaults.
        on_step: told in a few words what is done next.

    Raises:
        ExportError: the checkpoint cannot be read or exported, the output exists, or the parity check failed.
    """
    options = options or ExportOptions()
    if output.exists() and not options.overwrite:
        raise ExportError(f"{output} exists already; give another --output, or --overwrite")
    on_step("reading the checkpoint")
    model = _load(checkpoint)
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        parity = _build(model, checkpoint, partial, options.name or output.name, options, on_step)
        shutil.rmtree(output, ignore_errors=True)
        partial.replace(output)
    except OSError as error:
        raise ExportError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not parity.passed:
        worst, gap = max(parity.max_abs_difference.items(), key=lambda item: item[1])
        raise ExportError(
            f"{output}: ONNX and PyTorch differ: {worst} by up to {gap:.3g} (allowed {parity.tolerance:.3g}), the best "
            f"class is alike on {parity.top1_agreement:.1%}; the package is marked as failed"
        )
    return output


def _build(
    model: PreTrainedModel,
    checkpoint: Path,
    folder: Path,
    name: str,
    options: ExportOptions,
    on_step: Callable[[str], None],
) -> ParitySpec:
    """Write every file of the package into `folder`; return what the comparison with PyTorch found."""
    path = folder / MODEL_NAME
    on_step("exporting through Optimum")
    _export_graph(model, path, options.opset)
    on_step("comparing ONNX Runtime with PyTorch")
    side_px = model.config.image_size
    session = OnnxSession(path, device="cpu", threads=1)
    pictures = parity_pictures(side_px)
    parity = measure_parity(model, session, pictures, batch_sizes=BATCH_SIZES, tolerance=options.tolerance)
    record = read_training_record(checkpoint)
    sha256 = file_sha256(path)
    write_manifest(sketch_manifest(name, model.config, record, parity, opset=options.opset, sha256=sha256), folder)
    for companion in COMPANION_FILES:
        if (checkpoint / companion).is_file():
            shutil.copyfile(checkpoint / companion, folder / companion)
    return parity


def parity_pictures(side_px: int) -> NDArray[np.float32]:
    """What a sketch network is compared on: float32 (6, 1, side_px, side_px), 0..1; blank, full, noise, drawings."""
    random = np.random.default_rng(0)
    turn = np.linspace(0, 2 * np.pi, 40)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    house = [np.array([[0, 4], [0, 10], [8, 10], [8, 4], [0, 4], [4, 0], [8, 4]]), np.array([[3, 10], [3, 7], [5, 7]])]
    drawings = [rasterize_strokes(strokes, side_px) / np.float32(255) for strokes in ([circle], house)]
    shape = (side_px, side_px)
    noise = [random.random(shape), (random.random(shape) > 0.8).astype(np.float64)]
    return np.stack([np.zeros(shape), np.ones(shape), *noise, *drawings])[:, None].astype(np.float32)


def _load(checkpoint: Path) -> PreTrainedModel:
    try:
        return load_sketch_model(checkpoint)
    except ModelError as error:
        raise ExportError(str(error)) from error


def _export_graph(model: PreTrainedModel, path: Path, opset: int) -> None:
    config = onnx_config_of(model, _TASK)
    try:
        with warnings.catch_warnings():
            # Torch announces its next exporter on every call; Optimum 0.1 still goes through this one.
            warnings.simplefilter("ignore")
            export(model, config, path, opset=opset)
    except Exception as error:  # torch's and Optimum's exporters raise whatever the operator at fault raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(
            f"{model.config.model_type}: Optimum cannot export it with opset {opset}: {reason}"
        ) from error
