"""A model of the SAM family: a picture is encoded once, then points and boxes are answered with masks.

Its own kind beside `models.model.Model`: it says nothing of a picture until somebody points at something. The encoder
is the dear half, the decoder the cheap one; a caller who has the embedding pays the decoder alone. Safe from several
threads, of which one at a time encodes.

The network: Kirillov et al., Segment Anything, https://arxiv.org/abs/2304.02643
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detections import Detections
from models.errors import ModelError, PromptError
from models.manifest import PROMPT_DECODER_NAME, Manifest
from models.model import StageTimer, check_graph, untimed
from models.onnx_session import Device, GraphOptimization, OnnxSession
from models.package import Package, find_package
from models.placement import Placement, check_rule, fit
from models.prompts import ObjectPrompt

TASK = "prompted_segmentation"
_DECODER = "sam"
_EMBEDDINGS = ("image_embeddings", "image_positional_embeddings")
_ANSWERS = ("iou_scores", "pred_masks")
_KEPT = 4
"""Embeddings: of SAM ViT-B, 8 MB each."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """What the encoder made of one picture, and all that the decoder needs of it.

    Attributes:
        placement: where the picture lay in the encoder's input.
        features: the decoder's inputs that every prompt shares, by name, float32 (1, C, h, w).
    """

    placement: Placement
    features: Mapping[str, NDArray[Any]] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Hypotheses:
    """The decoder's answers for P objects, K to each (SAM gives three), before they are spread over the picture.

    Attributes:
        scores: float32 (P, K), the IoU that the network itself predicts; at times a little beyond 0..1.
        logits: float32 (P, K, h, w), above 0 on the object, spread over the whole input.
    """

    scores: NDArray[np.float32]
    logits: NDArray[np.float32] = field(repr=False)


class PromptedModel:
    """Both halves of a package, with the newest embeddings.

    Attributes:
        name: what to call it in results.
        encoder_runs, decoder_runs: how often each half ran.
    """

    def __init__(
        self,
        package: Package,
        *,
        name: str | None = None,
        device: Device = "auto",
        threads: int | None = None,
        graph_optimization: GraphOptimization | None = None,
    ) -> None:
        """Load both graphs; arguments as of `models.model.load_model`.

        Raises:
            ModelError: the package answers no points, does not fit its own graphs, or does not run here.
        """
        manifest = package.manifest
        _check_kind(package)
        check_rule(manifest, TASK)
        self.name = name or manifest.name
        self.package = package
        self.encoder_runs = 0
        self.decoder_runs = 0
        path = package.model_path.with_name(PROMPT_DECODER_NAME)
        if not path.is_file():
            raise ModelError(f"model: {package.origin}: {PROMPT_DECODER_NAME} is missing; copy the whole folder again")
        threads = threads or manifest.threads
        level = graph_optimization or manifest.graph_optimization
        self._encoder = OnnxSession(package.model_path, device=device, threads=threads, graph_optimization=level)
        self._decoder = OnnxSession(path, device=device, threads=threads, graph_optimization=level)
        check_graph(package, self._encoder)
        _check_halves(package, self._encoder, self._decoder)
        self._dtypes = {node.name: node.dtype for node in (*self._encoder.inputs, *self._decoder.inputs)}
        self._embeddings: OrderedDict[bytes, Embedding] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs both halves: `CPUExecutionProvider`."""
        return self._encoder.provider

    @property
    def manifest(self) -> Manifest:
        """What the package says of itself."""
        return self.package.manifest

    @property
    def why_not_cuda(self) -> str | None:
        """What kept CUDA from being taken; None where it was taken, or not asked for."""
        return self._encoder.why_not_cuda

    @property
    def takes_any_size(self) -> bool:
        """It does not: every picture is brought to the encoder's size."""
        return False

    def share(self, streams: int) -> None:
        """Nothing is to be made ready: streams take turns at the encoder."""

    @property
    def takes_boxes(self) -> bool:
        """Whether the decoder answers boxes too; those that Optimum exports by itself answer points alone."""
        return "input_boxes" in self._dtypes

    def embed(self, image: NDArray[np.uint8], timer: StageTimer = untimed) -> Embedding:
        """What the encoder makes of a picture; of one of the four newest, what it made of it before.

        Args:
            image: uint8 (H, W, 3), BGR, any size.
            timer: entered around `preprocess` and `encoder`, where they run.

        Raises:
            ModelError: the graph failed while it ran.
        """
        key = hashlib.blake2b(np.ascontiguousarray(image).data, key=repr(image.shape).encode()).digest()
        with self._lock:
            if key in self._embeddings:
                self._embeddings.move_to_end(key)
                return self._embeddings[key]
            spec = self.package.manifest.input
            with timer("preprocess"):
                tensor, placement = fit(image, spec)
            with timer("encoder"):
                outputs = self._encoder.run(self._typed({spec.name: tensor}))
            self.encoder_runs += 1
            embedding = Embedding(placement, {name: outputs[name] for name in _EMBEDDINGS})
            self._embeddings[key] = embedding
            if len(self._embeddings) > _KEPT:
                self._embeddings.popitem(last=False)
            return embedding

    def segment(
        self,
        embedding: Embedding,
        prompts: Sequence[ObjectPrompt],
        *,
        all_masks: bool = False,
        timer: StageTimer = untimed,
    ) -> Detections:
        """The objects that somebody pointed at.

        Args:
            embedding: of the picture.
            prompts: one an object.
            all_masks: three masks an object (part, whole, more than that), instead of the one with the best score.
            timer: entered around `decoder` and `postprocess`.

        Returns:
            Objects with masks, those with the best scores first; classes are `object 1`, `object 2`, ... in the
            prompts' order. The score is the IoU that the network itself predicts, at times a little beyond 0..1.

        Raises:
            PromptError: a prompt is not in the picture, or is a box for a package that answers points alone.
            ModelError: the graph failed while it ran.
        """
        names = tuple(f"object {number + 1}" for number in range(len(prompts)))
        for prompt in prompts:
            prompt.check_within(embedding.placement.frame_wh)
        with timer("decoder"):
            answers = self._answers(embedding, prompts)
        with timer("postprocess"):
            rows = [
                (float(answer.scores[0, guess]), number, guess)
                for number, answer in enumerate(answers)
                for guess in np.argsort(-answer.scores[0], kind="stable")[: None if all_masks else 1].tolist()
            ]
            rows.sort(key=lambda row: -row[0])
            masks = [spread(answers[number].logits[0, guess], embedding.placement) > 0 for _, number, guess in rows]
            scores, class_ids = [row[0] for row in rows], [row[1] for row in rows]
            return masked_objects(masks, scores, class_ids, names, embedding.placement.frame_wh)

    def decode(
        self,
        embedding: Embedding,
        points_xy: NDArray[np.float64],
        labels: NDArray[np.int64],
        boxes_xyxy: NDArray[np.float64] | None = None,
    ) -> Hypotheses:
        """The decoder's answers for P objects with equally many points and boxes each.

        Args:
            embedding: of the picture.
            points_xy: float64 (P, N, 2), in pixels of the picture.
            labels: int64 (P, N), 1 on the object and 0 beside it.
            boxes_xyxy: float64 (P, M, 4), M at most 1; None stands for none.

        Raises:
            PromptError: there are boxes, and the package answers points alone.
            ModelError: the graph failed while it ran, or gave numbers that are none.
        """
        to_tensor = embedding.placement.points_to_tensor
        feeds = {**embedding.features, "input_points": to_tensor(points_xy)[None], "input_labels": labels[None]}
        boxes = np.empty((len(points_xy), 0, 4)) if boxes_xyxy is None else boxes_xyxy
        if self.takes_boxes:
            corners = to_tensor(boxes.reshape(*boxes.shape[:2], 2, 2))
            feeds["input_boxes"] = corners.reshape(1, *boxes.shape)
        elif boxes.size:
            raise PromptError(
                f"prompt: {self.name} answers points and no boxes; give points, or export the model by mirilla export"
            )
        outputs = self._decoder.run(self._typed(feeds))
        self.decoder_runs += 1
        scores, logits = (outputs[name][0].astype(np.float32, copy=False) for name in _ANSWERS)
        if not (np.isfinite(scores).all() and np.isfinite(logits).all()):
            raise ModelError(f"model: {self.name} answered with numbers that are not finite; export it in fp32")
        return Hypotheses(scores, logits)

    def _answers(self, embedding: Embedding, prompts: Sequence[ObjectPrompt]) -> list[Hypotheses]:
        """Each object's answers; those with as many points and boxes are asked together.

        Filling up with points that are none would change what the network says.
        """
        alike: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for number, prompt in enumerate(prompts):
            alike[len(prompt.all_points_xy), len(prompt.boxes_xyxy)].append(number)
        answers: dict[int, Hypotheses] = {}
        for numbers in alike.values():
            found = self.decode(
                embedding,
                np.stack([prompts[number].all_points_xy for number in numbers]),
                np.stack([prompts[number].point_labels for number in numbers]),
                np.stack([prompts[number].boxes_xyxy for number in numbers]),
            )
            for row, number in enumerate(numbers):
                answers[number] = Hypotheses(found.scores[row : row + 1], found.logits[row : row + 1])
        return [answers[number] for number in range(len(prompts))]

    def _typed(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {name: array.astype(self._dtypes[name], copy=False) for name, array in feeds.items()}


def load_prompted_model(
    spec: str | Path,
    *,
    name: str | None = None,
    device: Device = "auto",
    threads: int | None = None,
    unverified: bool = False,
) -> PromptedModel:
    """The model of the SAM family that a name or a folder means; see `models.model.load_model`.

    Raises:
        ModelError: it is not there, damaged, answers no points, or does not run here.
    """
    return PromptedModel(find_package(spec, unverified=unverified), name=name, device=device, threads=threads)


def spread(logits: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """Mask logits float32 (h, w) over the whole input as float32 (H, W) over the picture.

    In two steps, as `SamImageProcessor.post_process_masks` of transformers: to the input's size, cut to the picture's
    part of it, to the picture's size.
    """
    whole = cv2.resize(logits, placement.input_wh, interpolation=cv2.INTER_LINEAR)
    width, height = placement.resized_wh
    return np.asarray(cv2.resize(whole[:height, :width], placement.frame_wh, interpolation=cv2.INTER_LINEAR))


def masked_objects(
    masks: Sequence[NDArray[np.bool_]],
    scores: Sequence[float],
    class_ids: Sequence[int],
    class_names: tuple[str, ...],
    size_wh: tuple[int, int],
) -> Detections:
    """Objects known by their masks; the box of an empty mask is all zeros.

    Args:
        masks: bool (H, W) each, best first.
        scores: falling.
        class_ids: indices into `class_names`.
        class_names: of all classes.
        size_wh: of the picture.
    """
    width, height = size_wh
    boxes = np.zeros((len(masks), 4), np.float32)
    for box, mask in zip(boxes, masks, strict=True):
        left, top, across, down = cv2.boundingRect(mask.view(np.uint8))
        box[:] = (left, top, left + across, top + down)
    return Detections(
        task=TASK,
        boxes_xyxy=boxes,
        scores=np.array(scores, np.float32),
        class_ids=np.array(class_ids, np.int64),
        class_names=class_names,
        masks=np.array(masks, np.bool_).reshape(len(masks), height, width),
    )


def _check_kind(package: Package) -> None:
    manifest = package.manifest
    if (manifest.task, manifest.decoder) != (TASK, _DECODER):
        raise ModelError(
            f"model: {package.origin} is made for {manifest.task}, not for points and boxes; give a SAM package: "
            "mirilla export slim-sam"
        )


def _check_halves(package: Package, encoder: OnnxSession, decoder: OnnxSession) -> None:
    wanted = (
        ("encoder's output", _EMBEDDINGS, encoder.outputs),
        ("decoder's input", ("input_points", "input_labels", *_EMBEDDINGS), decoder.inputs),
        ("decoder's output", _ANSWERS, decoder.outputs),
    )
    for where, names, nodes in wanted:
        missing = sorted(set(names) - {node.name for node in nodes})
        if missing:
            raise ModelError(f"model: {package.origin}: the {where} {missing[0]!r} is missing; export it again")
