"""Which classes of a stream are drawn, and which stands alone, as a person at a view wishes.

Pictures are drawn by it on the write thread, which also notes what classes there are; the person's keys change it on
the thread of the view. What one of them writes, the other only reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from models.results import Detections, Poses, Result, ResultFilter, SegmentationMap
from stream.overlays.emphasis import Emphasis, Rest
from stream.overlays.segmentation import is_background

MOST_CLASSES = 9
"""As many as there are digits."""

_ISOLATED: tuple[Rest, ...] = ("blur", "white", "grey")
_EVERY_PX = 16
"""Of a map, so many pixels apart is looked for classes."""


class ClassChoice:
    """The classes of one stream, numbered from 1 in the order in which they were first seen.

    Attributes:
        seen: their names, nine at most.
        hidden: those that are not drawn.
        emphasis: the label that stands alone, or before all others; None where none does.
    """

    def __init__(self, emphasis: Emphasis | None = None) -> None:
        """All are drawn."""
        self.seen: tuple[str, ...] = ()
        self.hidden: frozenset[str] = frozenset()
        self.emphasis = emphasis
        self._chosen: str | None = None

    def choose(self, number: int) -> str:
        """Hide a class, or show it again; while one stands alone, let this one do so.

        Returns:
            What has changed, in words.
        """
        if number > len(self.seen):
            return f"no class {number} has been seen yet"
        label = self._chosen = self.seen[number - 1]
        if self.emphasis is not None:
            self.hidden -= {label}
            self.emphasis = replace(self.emphasis, label=label)
            return _in_words(self.emphasis)
        self.hidden ^= {label}
        return f"{label}: {'hidden' if label in self.hidden else 'shown'}"

    def isolate(self) -> str:
        """Let a class stand alone, before what is blurred, then white, then grey; then none.

        It is the one that was chosen last, or else the first.

        Returns:
            What has changed, in words.
        """
        now = self.emphasis
        if now is not None:
            later = _ISOLATED[_ISOLATED.index(now.rest) + 1 :] if now.rest in _ISOLATED else _ISOLATED
            self.emphasis = replace(now, rest=later[0]) if later else None
        elif self.seen:
            label = self._chosen or self.seen[0]
            self.hidden -= {label}
            self.emphasis = Emphasis(label, _ISOLATED[0])
        else:
            return "no class has been seen yet"
        return "all classes" if self.emphasis is None else _in_words(self.emphasis)

    def rows(self) -> list[tuple[str, str]]:
        """The classes as a list for people: the key, the name and what is special about it."""
        alone = None if self.emphasis is None else self.emphasis.label
        return [
            (str(number), label + (" (hidden)" if label in self.hidden else " (alone)" if label == alone else ""))
            for number, label in enumerate(self.seen, 1)
        ]

    def note(self, results: Mapping[str, Result]) -> None:
        """Give numbers to the classes of a picture that have none yet, as long as there are numbers."""
        if len(self.seen) < MOST_CLASSES:
            labels = (label for result in results.values() for label in _labels_of(result))
            self.seen = tuple(dict.fromkeys((*self.seen, *labels)))[:MOST_CLASSES]

    def shown(self, results: Mapping[str, Result]) -> Mapping[str, Result]:
        """The results without the classes that are hidden."""
        if not self.hidden:
            return results
        return {name: _without(result, self.hidden) for name, result in results.items()}


def _labels_of(result: Result) -> list[str]:
    """The classes that a result says the places of."""
    if isinstance(result, Detections):
        return result.labels
    if isinstance(result, Poses):
        return result.objects.labels
    if isinstance(result, SegmentationMap):
        ids, areas = np.unique(result.class_map[::_EVERY_PX, ::_EVERY_PX], return_counts=True)
        by_area = ids[np.argsort(-areas, kind="stable")].tolist()
        names = [result.class_names[class_id] for class_id in by_area if class_id < len(result.class_names)]
        return [name for name in names if not is_background(name)]
    return []


def _without(result: Result, hidden: frozenset[str]) -> Result:
    if isinstance(result, Detections | Poses):
        return result[np.array([label not in hidden for label in _labels_of(result)], np.bool_)]
    if isinstance(result, SegmentationMap):
        return result.filtered(ResultFilter(classes=frozenset(result.class_names) - hidden))
    return result


def _in_words(emphasis: Emphasis) -> str:
    return f"{emphasis.label} alone, the rest {'blurred' if emphasis.rest == 'blur' else emphasis.rest}"
