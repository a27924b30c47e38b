"""A model as the frame loop and the library see it: a picture in, a result out.

Called on the infer thread; knows nothing of time: whoever wants to know how long a stage took passes a timer.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.onnx_session import Device, GraphOptimization, OnnxSession
from models.package import Package, find_package
from models.results import Classification, Result
from models.tasks import make_task

StageTimer = Callable[[str], AbstractContextManager[None]]
"""Called with `preprocess`, `inference` or `postprocess`; the stage runs within what it returns."""


def untimed(_stage: str) -> AbstractContextManager[None]:
    """The timer of those who do not ask for the time."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """What of a result is worth showing.

    Attributes:
        threshold: the least score, 0..1.
        classes: the only class names to keep; None keeps all.
        top: at most so many classes of a classification.
    """

    threshold: float = 0.0
    classes: frozenset[str] | None = None
    top: int = 5

    def apply(self, result: Result) -> Result:
        """The result with only what passes."""
        if not isinstance(result, Classification):
            return result
        keep = result.scores >= self.threshold
        if self.classes is not None:
            keep &= np.fromiter((label in self.classes for label in result.labels), bool, len(result))
        return result[keep][: self.top]


class Model:
    """A session and a task: `model(image)` is the whole use of it."""

    def __init__(
        self,
        package: Package,
        *,
        name: str | None = None,
        device: Device = "auto",
        threads: int | None = None,
        graph_optimization: GraphOptimization = "all",
        result_filter: ResultFilter | None = None,
    ) -> None:
        """Load a package's graph and warm it up, so that the first frame is no slower than the others.

        Raises:
            ModelError: the package does not fit its own graph, the task, or this machine.
        """
        manifest = package.manifest
        self.name = name or manifest.name
        self.manifest = manifest
        self.package = package
        self.filter = result_filter or ResultFilter()
        _check_classes(self.filter.classes, manifest.class_names)
        self._task = make_task(manifest)
        self._session = OnnxSession(
            package.model_path, device=device, threads=threads, graph_optimization=graph_optimization
        )
        _check_graph(package, self._session)
        self._dtype = self._session.inputs[0].dtype
        self(np.zeros((manifest.input.height, manifest.input.width, 3), np.uint8))

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs the graph: `CPUExecutionProvider`."""
        return self._session.provider

    def __call__(self, image: NDArray[np.uint8], timer: StageTimer = untimed) -> Result:
        """What the model says of a picture.

        Args:
            image: uint8 (H, W, 3), BGR, any size.
            timer: entered around each stage.

        Raises:
            ModelError: the graph failed while it ran.
        """
        with timer("preprocess"):
            tensor, geometry = self._task.preprocess(image)
        with timer("inference"):
            outputs = self._session.run({self.manifest.input.name: tensor.astype(self._dtype, copy=False)})
        with timer("postprocess"):
            return self.filter.apply(self._task.postprocess(outputs, geometry))


def load_model(
    spec: str | Path,
    *,
    name: str | None = None,
    device: Device = "auto",
    threads: int | None = None,
    graph_optimization: GraphOptimization = "all",
    threshold: float = 0.0,
    classes: Iterable[str] | None = None,
    top: int = 5,
    unverified: bool = False,
) -> Model:
    """The model that a bundled name, a package folder or an `.onnx` file means, ready to be called.

    Args:
        spec: `quickdraw-32`, a folder, or a file.
        name: what to call it in results; its manifest's name where None.
        device: `auto`, `cpu` or `cuda`.
        threads: threads within an operator; None leaves it to ONNX Runtime.
        graph_optimization: how far ONNX Runtime may rewrite the graph.
        threshold: the least score that a result may have, 0..1.
        classes: the only class names to report; None reports all.
        top: at most so many classes of a classification.
        unverified: take a package also where its checksum or its parity says no.

    Raises:
        ModelError: it is not there, damaged, unknown to this version, or does not run here.
    """
    kept = None if classes is None else frozenset(classes)
    return Model(
        find_package(spec, unverified=unverified),
        name=name,
        device=device,
        threads=threads,
        graph_optimization=graph_optimization,
        result_filter=ResultFilter(threshold, kept, top),
    )


def _check_classes(classes: frozenset[str] | None, class_names: tuple[str, ...]) -> None:
    for label in sorted(classes or ()):
        if label not in class_names:
            close = difflib.get_close_matches(label, class_names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the model knows {_shortened(class_names)}"
            raise ModelError(f"classes: {label!r} is no class of the model; {hint}")


def _shortened(names: tuple[str, ...], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _check_graph(package: Package, session: OnnxSession) -> None:
    manifest, spec = package.manifest, package.manifest.input
    inputs = {node.name: node for node in session.inputs}
    if spec.name not in inputs:
        raise ModelError(
            f"model: {package.origin}: input.name: {spec.name!r} is none of the graph's inputs "
            f"({', '.join(inputs)}); export it again"
        )
    wanted = (1, spec.channels, spec.height, spec.width)
    shape = inputs[spec.name].shape
    if len(shape) != len(wanted) or any(axis not in (None, n) for axis, n in zip(shape, wanted, strict=True)):
        raise ModelError(
            f"model: {package.origin}: input: the manifest makes {wanted}, the graph takes "
            f"{tuple('any' if axis is None else axis for axis in shape)}; export it again"
        )
    missing = [name for name in manifest.outputs if name not in {node.name for node in session.outputs}]
    if missing:
        raise ModelError(f"model: {package.origin}: outputs: the graph has no {missing[0]!r}; export it again")
