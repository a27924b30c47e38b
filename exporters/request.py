"""What the user of `mirilla export` asks: a name, an id, a folder or a file, and options as they were written.

Called by the command. Finds the checkpoint, fetches it where it is on the hub, and exports it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from exporters.errors import ExportError
from exporters.export import ExportOptions, export_package
from exporters.tune import tune
from exporters.ultralytics_export import export_ultralytics
from models.hub import fetch_checkpoint
from models.manifest import Precision, SourceSpec
from models.zoo import packages_folder, zoo

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_SIZE = re.compile(r"(\d+)x(\d+)")
_CHECKPOINT_OF_ULTRALYTICS = ".pt"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The options of `mirilla export`, as the user wrote them.

    Attributes:
        checkpoint: a zoo name, a hub id, a folder, or an Ultralytics `.pt` file.
        output: the package's folder; None puts it where `--model NAME` finds it.
        task: None infers it.
        revision: a branch, tag or commit of the hub; None takes the zoo's, or what the first download took.
        size: `HxW` or `dynamic`.
        batch: None leaves it free.
        opset: of ONNX.
        precision: `fp32`, `fp16`, `int8`.
        labels: names with commas between them, or a file with a name a line.
        min_agreement: 0..1; None takes the precision's.
        overwrite: replace a package that exists.
        calibration: pictures uint8 (H, W, 3) BGR for a static int8 model.
        clip: pictures uint8 (H, W, 3) BGR to tune on; empty does not tune.
    """

    checkpoint: str
    output: Path | None = None
    task: str | None = None
    revision: str | None = None
    size: str = "dynamic"
    batch: int | None = None
    opset: int = 18
    precision: str = "fp32"
    labels: str | None = None
    min_agreement: float | None = None
    overwrite: bool = False
    calibration: Sequence[NDArray[np.uint8]] = field(default=(), repr=False)
    clip: Sequence[NDArray[np.uint8]] = field(default=(), repr=False)


def export_request(request: ExportRequest, say: Callable[[str], None]) -> Path:
    """Do what the user asked, and return the package.

    Args:
        request: as the user wrote it.
        say: told each step, a line each.

    Raises:
        ExportError: an option is wrong, or the export is not possible.
        ModelError: the hub does not give the checkpoint.
        ParityError: the package was made, and marked as failed.
    """
    options = _options(request)
    path = Path(request.checkpoint).expanduser()
    if path.suffix == _CHECKPOINT_OF_ULTRALYTICS:
        for option, given in (("--tune", len(request.clip)), ("--revision", request.revision)):
            if given:
                raise ExportError(f"{option}: is for checkpoints of transformers, not for {path.name}; leave it out")
        output = request.output or packages_folder() / path.stem
        return export_ultralytics(path, output, options)
    folder, name, source = _find(request, path, say)
    output = request.output or packages_folder() / name
    options = replace(options, name=name, source=source)
    if request.clip:
        return tune(folder, output, options, request.clip, say)
    return export_package(folder, output, options, lambda step: say(f"{step} ..."))


def _find(request: ExportRequest, path: Path, say: Callable[[str], None]) -> tuple[Path, str, SourceSpec | None]:
    """The folder of a checkpoint, the package's name, and where it comes from."""
    checkpoint = request.checkpoint
    if path.is_dir():
        if request.revision is not None:
            raise ExportError(f"--revision: {checkpoint} is a folder, which has none; leave it out")
        return path, path.resolve().name, None
    entry = zoo().get(checkpoint)
    if entry is None and (not _HUB_ID.fullmatch(checkpoint) or path.parent.is_dir()):
        close = difflib.get_close_matches(checkpoint, zoo(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`mirilla models` lists the zoo"
        raise ExportError(f"{checkpoint!r} is no folder, no short name of the zoo and no id of the hub; {hint}")
    hub_id = checkpoint if entry is None else entry.hub
    usual = "main" if entry is None else entry.revision
    fetched = fetch_checkpoint(hub_id, request.revision or usual, renew=request.revision is not None)
    say(fetched.remark)
    source = SourceSpec(id=hub_id, revision=fetched.commit, licence=None if entry is None else entry.licence)
    return fetched.folder, checkpoint.split("/")[-1], source


def _options(request: ExportRequest) -> ExportOptions:
    if request.precision not in get_args(Precision):
        raise ExportError(f"--precision: {request.precision!r} is none of {', '.join(get_args(Precision))}")
    if request.calibration and request.precision != "int8":
        raise ExportError(f"--calibrate: only --precision int8 is calibrated, not {request.precision}")
    if request.min_agreement is not None and not 0 <= request.min_agreement <= 1:
        raise ExportError(f"--min-agreement: expected 0 to 1, got {request.min_agreement:g}")
    return ExportOptions(
        task=request.task,
        size_hw=_size(request.size),
        batch=request.batch,
        opset=request.opset,
        precision=cast("Precision", request.precision),
        calibration=[np.ascontiguousarray(picture[..., ::-1]) for picture in request.calibration],
        labels=_labels(request.labels),
        min_agreement=request.min_agreement,
        overwrite=request.overwrite,
    )


def _size(text: str) -> tuple[int, int] | None:
    if text == "dynamic":
        return None
    match = _SIZE.fullmatch(text.lower())
    if match is None or "0" in match.groups():
        raise ExportError(f"--size: expected HEIGHTxWIDTH, as 480x640, or 'dynamic'; got {text!r}")
    return int(match[1]), int(match[2])


def _labels(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    path = Path(text).expanduser()
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else text.split(",")
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise ExportError(f"--labels: {text!r} has no names; separate them by commas, or give a file of lines")
    return names
