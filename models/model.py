"""A model as the frame loop and the library see it: a picture in, a result out.

Called on the infer thread; knows nothing of time: whoever wants to know how long a stage took passes a timer.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.manifest import Manifest
from models.onnx_session import CPU, Device, GraphOptimization, OnnxSession
from models.package import Package, find_package
from models.results import Result, ResultFilter
from models.shared_inference import Feeds, Outputs, SharedInference
from models.tasks import Task, TaskKind, find_task
from models.text_encoder import check_texts, encode_texts

_WARM_UP_HW = (480, 640)
"""For models that take any size."""

_MOST_AT_ONCE = 8
"""Pictures in a batch: more gain little, and take memory."""

_ALIKE = 1e-3
"""Of an output's largest magnitude: so far may a batch's answers lie from those of single runs."""

StageTimer = Callable[[str], AbstractContextManager[None]]
"""Called with `preprocess`, `inference` or `postprocess`; the stage runs within what it returns."""


def untimed(_stage: str) -> AbstractContextManager[None]:
    """The timer of those who do not ask for the time."""
    return nullcontext()


class Model:
    """A session and a task: `model(image)` is the whole use of it."""

    def __init__(
        self,
        package: Package,
        *,
        name: str | None = None,
        device: Device = "auto",
        threads: int | None = None,
        graph_optimization: GraphOptimization | None = None,
        result_filter: ResultFilter | None = None,
        texts: Sequence[str] | None = None,
    ) -> None:
        """Load a package's graph and warm it up, so that the first frame is no slower than the others.

        The arguments are those of `load_model`.

        Raises:
            ModelError: the package does not fit its own graph, the task, or this machine.
        """
        kind = find_task(package.manifest)
        manifest = _with_texts(package.manifest, kind, texts)
        self.name = name or manifest.name
        self.manifest = manifest
        self.package = package
        self.filter = result_filter or ResultFilter(kind.default_threshold)
        _check_classes(self.filter.classes, manifest.class_names)
        self._task = _make_task(package, manifest, kind, self.filter, texts, device)
        self._session = OnnxSession(
            package.model_path,
            device=device,
            threads=threads or manifest.threads,
            graph_optimization=graph_optimization or manifest.graph_optimization,
        )
        check_graph(package, self._session)
        self._inputs = {node.name: node for node in self._session.inputs}
        self._threads = threads or manifest.threads
        self._run: Callable[[Feeds], Outputs] = self._session.run
        height, width = self._usual_hw
        self.warm_up(width, height)

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs the graph: `CPUExecutionProvider`."""
        return self._session.provider

    @property
    def task(self) -> Task:
        """What stands around the graph; for chains, which call its halves themselves."""
        return self._task

    @property
    def why_not_cuda(self) -> str | None:
        """With `device: auto`, what kept CUDA from being taken; None where it was taken, or not asked for."""
        return self._session.why_not_cuda

    @property
    def takes_any_size(self) -> bool:
        """Whether the input has the size of the picture, so that it is worth to `warm_up` for a stream's own."""
        return self.manifest.input.height is None or self.manifest.input.width is None

    @property
    def takes_any_tensor(self) -> bool:
        """Whether the graph runs at other heights and widths than its manifest's."""
        return None in self._inputs[self.manifest.input.name].shape[2:]

    def infer(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """The graph's outputs by name, for inputs float32 (N, C, H, W) that the task made.

        Raises:
            ModelError: the graph failed while it ran.
        """
        return self._run(self._feeds(tensor))

    def share(self, streams: int) -> None:
        """Make ready for so many threads that call it at the same time, from now on in fair turns.

        As many runs go on at the same time as the processor has cores for the threads of each; on CUDA one. What waits
        is run in batches where the package allows them, and a trial here gives the answers of single runs: a graph that
        measures its whole input, as with dynamic quantization, would let the streams change one another's results.

        Raises:
            ModelError: the graph failed while it ran.
        """
        cores = os.cpu_count() or 1
        turns = max(1, cores // (self._threads or cores)) if self.provider == CPU else 1
        most = min(streams, _MOST_AT_ONCE)
        # On CUDA the first run of each shape is slow, so that each is tried; on the CPU one tells all.
        sizes = range(2, 3 if self.provider == CPU else most + 1)
        is_batched = most > 1 and self.manifest.input.dynamic_batch and all(map(self._agrees_in_batch, sizes))
        self._run = SharedInference(self._session.run, turns=turns, most_rows=most if is_batched else 1)

    def _agrees_in_batch(self, size: int) -> bool:
        """Whether a batch of noise, each picture darker than the last, has the answers that its pictures have alone."""
        noise = np.random.default_rng(0).integers(0, 256, (*self._usual_hw, 3))
        pictures = ((noise // number).astype(np.uint8) for number in range(1, size + 1))
        feeds = [self._feeds(self._task.preprocess(picture)[0]) for picture in pictures]
        alone = [self._session.run(feed) for feed in feeds]
        try:
            together = self._session.run({name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]})
        except ModelError:
            return False
        return all(
            _are_alike(values, np.concatenate([one[name] for one in alone])) for name, values in together.items()
        )

    @property
    def _usual_hw(self) -> tuple[int, int]:
        """Height and width of the input, or of a usual picture where the input has the picture's."""
        spec = self.manifest.input
        return spec.height or _WARM_UP_HW[0], spec.width or _WARM_UP_HW[1]

    def warm_up(self, width: int, height: int) -> None:
        """Run once on a black picture of a size in pixels: on CUDA the first run of each shape is many times slower.

        Raises:
            ModelError: the graph failed while it ran.
        """
        self(np.zeros((height, width, 3), np.uint8))

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
            outputs = self.infer(tensor)
        with timer("postprocess"):
            return self._task.postprocess(outputs, geometry).filtered(self.filter)

    def _feeds(self, tensor: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        spec = self.manifest.input
        feeds: dict[str, NDArray[Any]] = {spec.name: tensor.astype(self._inputs[spec.name].dtype, copy=False)}
        if spec.pixel_mask is not None:
            node = self._inputs[spec.pixel_mask]
            # One picture alone is never padded. Some graphs take a mask of a fixed size, and enlarge it themselves.
            shape = (wanted or got for wanted, got in zip(node.shape, (1, *tensor.shape[2:]), strict=True))
            feeds[spec.pixel_mask] = np.ones(tuple(shape), node.dtype)
        return feeds


def load_model(
    spec: str | Path | Package,
    *,
    name: str | None = None,
    device: Device = "auto",
    threads: int | None = None,
    graph_optimization: GraphOptimization | None = None,
    threshold: float | None = None,
    classes: Iterable[str] | None = None,
    top: int = 5,
    max_detections: int = 300,
    unverified: bool = False,
    texts: Sequence[str] | None = None,
) -> Model:
    """The model that a bundled name, a package folder or an `.onnx` file means, ready to be called.

    Args:
        spec: `quickdraw-32`, a folder, or a file; or what `find_package` found, so that checksums are read once.
        name: what to call it in results; its manifest's name where None.
        device: `auto`, `cpu` or `cuda`.
        threads: threads within an operator; None takes what the package was tuned to.
        graph_optimization: how far ONNX Runtime may rewrite the graph; None takes what the package was tuned to.
        threshold: the least score that a result may have, 0..1; None leaves it to the task: 0.5 for detections.
        classes: the only class names to report; None reports all.
        top: at most so many classes of a classification.
        max_detections: at most so many objects of a detection.
        unverified: take a package also where its checksum or its parity says no; what was found has passed.
        texts: for zero-shot classifiers, what to tell apart: these are its classes.

    Raises:
        ModelError: it is not there, damaged, unknown to this version, or does not run here; or texts are missing, too
            long, or given to a model with classes of its own.
    """
    package = spec if isinstance(spec, Package) else find_package(spec, unverified=unverified)
    kept = None if classes is None else frozenset(classes)
    least = find_task(package.manifest).default_threshold if threshold is None else threshold
    return Model(
        package,
        name=name,
        device=device,
        threads=threads,
        graph_optimization=graph_optimization,
        result_filter=ResultFilter(least, kept, top, max_detections),
        texts=texts,
    )


def _are_alike(values: NDArray[Any], wanted: NDArray[Any]) -> bool:
    if values.shape != wanted.shape:
        return False
    largest = np.abs(wanted.astype(np.float64)).max(initial=0.0)
    return bool(np.allclose(values, wanted, rtol=0, atol=_ALIKE * largest))


def _with_texts(manifest: Manifest, kind: TaskKind, texts: Sequence[str] | None) -> Manifest:
    """The manifest with the user's texts as classes, where there are any."""
    if texts is None:
        return manifest
    if kind.make_for_texts is None or manifest.texts is None:
        raise ModelError(
            f"{manifest.name}: texts: the model has classes of its own ({_shortened(manifest.class_names)}); leave "
            "texts out, or give them to one model alone, in a configuration"
        )
    check_texts(texts, manifest.name)
    return manifest.model_copy(update={"class_names": tuple(texts)})


def _make_task(
    package: Package,
    manifest: Manifest,
    kind: TaskKind,
    wanted: ResultFilter,
    texts: Sequence[str] | None,
    device: Device,
) -> Task:
    if texts is None or manifest.texts is None or kind.make_for_texts is None:
        return kind.make(manifest, wanted)
    embeddings = encode_texts(package.model_path.parent, manifest.texts, texts, manifest.name, device)
    return kind.make_for_texts(manifest, manifest.texts, embeddings)


def _check_classes(classes: frozenset[str] | None, class_names: tuple[str, ...]) -> None:
    for label in sorted(classes or ()):
        if label not in class_names:
            close = difflib.get_close_matches(label, class_names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"the model knows {_shortened(class_names)}"
            raise ModelError(f"classes: {label!r} is no class of the model; {hint}")


def _shortened(names: tuple[str, ...], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def check_graph(package: Package, session: OnnxSession) -> None:
    """Raise ModelError where a graph does not take what its package's manifest makes, or give what it names."""
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
        made, taken = (tuple("any" if axis is None else axis for axis in axes) for axes in (wanted, shape))
        raise ModelError(
            f"model: {package.origin}: input: the manifest makes {made}, the graph takes {taken}; export it again"
        )
    if spec.pixel_mask is not None and spec.pixel_mask not in inputs:
        raise ModelError(
            f"model: {package.origin}: input.pixel_mask: {spec.pixel_mask!r} is none of the graph's inputs "
            f"({', '.join(inputs)}); export it again"
        )
    missing = [name for name in manifest.outputs if name not in {node.name for node in session.outputs}]
    if missing:
        raise ModelError(f"model: {package.origin}: outputs: the graph has no {missing[0]!r}; export it again")
