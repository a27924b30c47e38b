"""Brings the class names of a model and of its data together: by name, whatever the ids on either side.

Case, and whether words are parted by spaces, underscores or hyphens, does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.detections import Detections
from models.evaluation.errors import DataError
from models.evaluation.matching import Objects

_NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class ClassMatching:
    """Which class of a model is which of the data.

    Attributes:
        data_ids: by the model's class id, the id that the data uses for the class of that name.
        names: by the data's id, the name as the data writes it; those that the model knows only.
        only_in_data: names that the model does not know.
        only_in_model: names that the data does not know.
    """

    data_ids: Mapping[int, int]
    names: Mapping[int, str]
    only_in_data: Sequence[str]
    only_in_model: Sequence[str]

    def notes(self) -> list[str]:
        """What people should know of the names that have no counterpart."""
        notes = []
        if self.only_in_data:
            notes.append(f"left out, for the model has no such class: {listed(self.only_in_data)}")
        if self.only_in_model:
            notes.append(
                f"the data has no such class, so that finding one counts for nothing: {listed(self.only_in_model)}"
            )
        return notes


def match_classes(model_names: Sequence[str], data_names: Mapping[int, str]) -> ClassMatching:
    """Match a model's class names with those of the data, which are given by the data's ids.

    Raises:
        DataError: not one name is on both sides.
    """
    ids_by_name = {_plain(name): data_id for data_id, name in data_names.items()}
    data_ids = {
        class_id: ids_by_name[_plain(name)] for class_id, name in enumerate(model_names) if _plain(name) in ids_by_name
    }
    if not data_ids:
        raise DataError(
            f"data: no class name is also one of the model's: the data has {listed(list(data_names.values()))}, "
            f"the model {listed(model_names)}; give data with the model's classes"
        )
    known = set(data_ids.values())
    return ClassMatching(
        data_ids=data_ids,
        names={data_id: name for data_id, name in data_names.items() if data_id in known},
        only_in_data=[name for data_id, name in data_names.items() if data_id not in known],
        only_in_model=[name for class_id, name in enumerate(model_names) if class_id not in data_ids],
    )


def with_data_ids(found: Detections, matching: ClassMatching, least_score: float) -> Objects:
    """The detections that are sure enough and of a class of the data, labelled with the data's ids."""
    keep = [
        row
        for row, class_id in enumerate(found.class_ids.tolist())
        if class_id in matching.data_ids and found.scores[row] >= least_score
    ]
    labels = [matching.data_ids[int(found.class_ids[row])] for row in keep]
    return Objects(found.boxes_xyxy[keep].reshape(-1, 4), np.array(labels, np.int64))


def known_objects(truth: Objects, matching: ClassMatching) -> Objects:
    """The objects of classes that the model knows."""
    keep = np.isin(truth.labels, list(matching.names))
    crowd = None if truth.is_crowd is None else truth.is_crowd[keep]
    return Objects(truth.boxes_xyxy[keep], truth.labels[keep], crowd)


def listed(names: Sequence[str]) -> str:
    """Names for a message: the first few, and how many more there are."""
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()
