"""Which pictures a segmentation network is trained on, watched by and measured on, for what it is to learn."""

from __future__ import annotations

import shutil
from pathlib import Path

from models.training.errors import TrainingError
from models.training.mask_folder import MaskFolder, is_mask_folder
from models.training.page_ink import InkPages, is_drawing_folder
from models.training.segmentation_pairs import PairSource, PairWriter, Part
from models.training.segmenter_settings import SegmenterSettings
from models.training.webcam_people import WebcamPeople, is_people_folder


def pairs_of(settings: SegmenterSettings, part: Part) -> PairSource:
    """Where the pictures of one part come from: the maker of the network's kind, or the user's own files.

    Raises:
        TrainingError: the data is missing, or not what the kind is trained on.
    """
    data = settings.data
    if not data.is_dir():
        raise TrainingError(f"data: {data} is no folder; give one with images/ and masks/")
    if settings.kind == "person-segmenter" and is_people_folder(data):
        return WebcamPeople.read(data, _backgrounds(settings), part)
    if settings.kind == "drawing-segmenter" and is_drawing_folder(data):
        return InkPages.read(data, _backgrounds(settings), part, settings.seed, settings.held_out_pages)
    if is_mask_folder(data):
        return MaskFolder.read(data, part, settings.held_out, settings.augmentation)
    raise TrainingError(
        f"data: {data}: nothing that {settings.kind} is trained on; give a folder with images/ and masks/"
    )


def is_own_data(source: PairSource) -> bool:
    """Whether pictures are the user's own, and not made here."""
    return isinstance(source, MaskFolder)


def write_held_out(settings: SegmenterSettings, folder: Path) -> None:
    """Write the pictures that nothing was trained on, as `mirilla evaluate` reads them.

    Raises:
        TrainingError: as of `pairs_of`, or the disk is full.
    """
    source = pairs_of(settings, "held_out")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        source.write_pairs(PairWriter(folder, source.class_names))
    except OSError as error:
        raise TrainingError(f"{folder} cannot be written ({error.strerror or error}); choose another place") from error


def _backgrounds(settings: SegmenterSettings) -> Path:
    if settings.backgrounds is None:
        raise TrainingError("backgrounds: what is made here lies before other pictures; give some with --backgrounds")
    return settings.backgrounds
