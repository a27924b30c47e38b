"""The bundled person segmenter on photographs that it was never trained on: webcam-like cuts of held-out portraits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models import SegmentationMap, load_model
from models.training.webcam_people import WebcamPeople, read_portraits


def test_people_are_told_from_their_street(test_data: Path) -> None:
    model = load_model("person-segmenter", device="cpu", threads=1)
    portraits = read_portraits(test_data / "people" / "portraits", "held_out")[::3]
    source = WebcamPeople(portraits, [])
    shared = either = 0
    for number, portrait in enumerate(portraits):
        picture, mask = source.own_street(portrait, 4 / 3, (640, 480), np.random.default_rng(number))
        found = model(picture)
        assert isinstance(found, SegmentationMap)
        is_person = found.class_map == 1
        shared += int((is_person & (mask > 0)).sum())
        either += int((is_person | (mask > 0)).sum())
    assert len(portraits) >= 27
    assert shared / either > 0.88
