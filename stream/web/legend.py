"""What a page has to know of a stream's models to draw what they say: colours, and which joints a limb joins.

Noted on the write thread, from the results themselves, so that it holds for whatever runs; read on the loop's thread.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from models.results import Poses, Result
from models.skeletons import side_of
from stream.overlays.poses import SIDE_COLOURS, limb_side
from stream.overlays.theme import Colour, class_colour


class ModelLegend(BaseModel):
    """A model, as a page draws it; colours as `#rrggbb`, the same as in pictures that the server draws."""

    model: str
    task: str
    colours: dict[str, str]
    """By label."""
    limbs: list[tuple[str, str, str]]
    """The names of two keypoints and a colour; of pose models only."""
    joints: dict[str, str]
    """A colour by the name of a keypoint; of pose models only."""


class Legend:
    """The models of one stream."""

    def __init__(self) -> None:
        """Nothing has been seen."""
        self._known: dict[str, tuple[object, ModelLegend]] = {}

    @property
    def models(self) -> list[ModelLegend]:
        """In the order of the results."""
        return [model for _, model in list(self._known.values())]

    def note(self, results: Mapping[str, Result]) -> None:
        """See what models there are; costs next to nothing where they are known.

        Args:
            results: by model name.
        """
        for name, result in results.items():
            names = _class_names(result)
            if self._known.get(name, (None,))[0] != names:
                self._known[name] = (names, _legend_of(name, result, names))


def _class_names(result: Result) -> tuple[str, ...]:
    objects = result.objects if isinstance(result, Poses) else result
    return getattr(objects, "class_names", ())


def _legend_of(name: str, result: Result, class_names: tuple[str, ...]) -> ModelLegend:
    colours = {label: _hex(class_colour(class_id)) for class_id, label in enumerate(class_names)}
    limbs: list[tuple[str, str, str]] = []
    joints: dict[str, str] = {}
    if isinstance(result, Poses):
        sides = {keypoint: side_of(keypoint) for keypoint in result.keypoint_names}
        joints = {keypoint: _hex(SIDE_COLOURS[side]) for keypoint, side in sides.items()}
        for start, end in ((result.keypoint_names[a], result.keypoint_names[b]) for a, b in result.skeleton):
            limbs.append((start, end, _hex(SIDE_COLOURS[limb_side(sides[start], sides[end])])))
    return ModelLegend(model=name, task=result.task, colours=colours, limbs=limbs, joints=joints)


def _hex(colour: Colour) -> str:
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"
