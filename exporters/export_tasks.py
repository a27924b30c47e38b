"""What a checkpoint can be asked, declared: the name of the task, the heads that answer it, what has to agree.

Read by the loader of checkpoints, by the parity gate and by the writer of manifests. A task more is a row more.
"""

from __future__ import annotations

from dataclasses import dataclass

from exporters import agreement
from exporters.agreement import Agreement
from exporters.errors import ExportError


@dataclass(frozen=True, slots=True)
class ExportTask:
    """One row of the table.

    Attributes:
        name: the hub's word: `object-detection`.
        optimum_names: Optimum's words for it, the first that it knows for an architecture is taken.
        auto_class: of transformers, that builds the network with this head.
        heads: how the names of such classes end, as `config.json` lists them under `architectures`.
        agreement: what of the decoded outputs has to be alike, beside the raw tensors.
        runtime: the manifest's task and decoder, for what `models.transformers_package` does not derive.
        batch: the only batch that anybody asks with, where the user does not say; None leaves it free.
    """

    name: str
    optimum_names: tuple[str, ...]
    auto_class: str
    heads: tuple[str, ...]
    agreement: Agreement
    runtime: tuple[str, str] | None = None
    batch: int | None = None


EXPORT_TASKS: tuple[ExportTask, ...] = (
    ExportTask(
        "object-detection",
        ("object-detection",),
        "AutoModelForObjectDetection",
        ("ForObjectDetection",),
        agreement.boxes,
    ),
    ExportTask(
        "semantic-segmentation",
        ("semantic-segmentation", "image-segmentation"),
        "AutoModelForSemanticSegmentation",
        ("ForSemanticSegmentation", "UNet"),
        agreement.pixels,
    ),
    ExportTask(
        "image-segmentation",
        ("image-segmentation",),
        "AutoModelForInstanceSegmentation",
        ("ForInstanceSegmentation", "ForSegmentation"),
        agreement.masks,
        ("instance_segmentation", "query_masks"),
    ),
    # The same network, asked for objects that may overlap. Below the row above, which is what is inferred.
    ExportTask(
        "instance-segmentation",
        ("image-segmentation",),
        "AutoModelForInstanceSegmentation",
        ("ForInstanceSegmentation",),
        agreement.masks,
        ("instance_segmentation", "maskformer_instances"),
    ),
    ExportTask(
        "image-classification",
        ("image-classification",),
        "AutoModelForImageClassification",
        ("ForImageClassification", "ForImageClassificationWithTeacher", "SketchCnn", "SketchResNet"),
        agreement.classes,
    ),
    ExportTask(
        "zero-shot-image-classification",
        ("zero-shot-image-classification",),
        "AutoModelForZeroShotImageClassification",
        ("CLIPModel", "SiglipModel"),
        agreement.zero_shot,
        ("zero_shot_image_classification", "softmax"),
    ),
    ExportTask(
        "depth-estimation",
        ("depth-estimation",),
        "AutoModelForDepthEstimation",
        ("ForDepthEstimation",),
        agreement.depth,
    ),
    ExportTask(
        "keypoint-detection",
        ("keypoint-detection",),
        "AutoModelForKeypointDetection",
        ("ForPoseEstimation",),
        agreement.keypoints,
        ("keypoint_detection", "heatmaps"),
    ),
    ExportTask(
        "mask-generation",
        ("feature-extraction",),
        "AutoModelForMaskGeneration",
        ("SamModel",),
        agreement.masks,
        ("prompted_segmentation", "sam"),
        # Who points at a thing points at one picture, and SAM's attention over eight takes tens of gigabytes.
        batch=1,
    ),
)

_BY_NAME = {task.name: task for task in EXPORT_TASKS}


def task_named(name: str) -> ExportTask:
    """The row of a name as the user writes it.

    Raises:
        ExportError: there is none.
    """
    if name not in _BY_NAME:
        raise ExportError(f"--task: {name!r} is none of {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def task_of_architecture(architecture: str) -> ExportTask | None:
    """The row whose head a class of transformers has; None for those without a known head."""
    return next((task for task in EXPORT_TASKS if architecture.endswith(task.heads)), None)
