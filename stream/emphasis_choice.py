"""What `isolate`, `highlight` and `background` mean for a stream; asked before the first frame (main thread)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from models.chain import LoadedModel, TopDown
from models.prompted_model import PromptedModel
from stream.config import OverlaySettings
from stream.errors import ConfigError, SourceError
from stream.overlays.background import BLUR, PERSON, WHITE, Background
from stream.overlays.emphasis import Emphasis, Rest
from stream.pointing.pointed_step import MOST_OBJECTS
from stream.sources.still import read_still

TASKS_WITH_BOXES = ("object_detection", "instance_segmentation")
_TASKS_WITH_MASKS = ("instance_segmentation", "semantic_segmentation")
_TASKS_WITH_AREAS = (*TASKS_WITH_BOXES, "semantic_segmentation")
_RESTS: dict[str, Rest] = {"white": "white", "blur": "blur", "grey": "grey"}


def emphasis_for(settings: OverlaySettings, models: Sequence[LoadedModel]) -> Emphasis | None:
    """The label that stands alone, or before all others; None where the user asks for none.

    Raises:
        ConfigError: the label is none that the models find, the rest is unknown, or both are asked for.
    """
    if settings.isolate is not None and settings.highlight is not None:
        raise ConfigError("overlay: isolate and highlight exclude one another; leave one of them out")
    if settings.isolate is not None:
        label, mark, rest = settings.isolate.rpartition(":")
        if not mark:
            label, rest = settings.isolate, "white"
        if rest not in _RESTS:
            raise ConfigError(f"isolate: {rest!r} is no way to show the rest; choose {', '.join(_RESTS)}")
        _check_label("isolate", label, models)
        return Emphasis(label, _RESTS[rest])
    if settings.highlight is not None:
        _check_label("highlight", settings.highlight, models)
        return Emphasis(settings.highlight, "dim")
    return None


def background_for(settings: OverlaySettings, models: Sequence[LoadedModel]) -> Background | None:
    """What comes behind people, and behind what was pointed at; None where what is there stays.

    Raises:
        ConfigError: no model tells people from the rest, the picture cannot be read, or a label is to stand alone, too.
    """
    wanted = settings.background
    if wanted == "none":
        return None
    for key in ("isolate", "highlight"):
        if getattr(settings, key) is not None:
            raise ConfigError(f"overlay: background and {key} exclude one another; leave one of them out")
    if not any(_has_foreground(model) for model in models):
        raise ConfigError(
            f"background: {wanted!r}: no model of the stream tells people from what is behind them; "
            f"add 'person-segmenter' (--model), or another that has the class {PERSON!r} and masks"
        )
    if wanted in (BLUR, WHITE):
        return Background("blur" if wanted == BLUR else "white")
    try:
        return Background(read_still(Path(wanted).expanduser()))
    except SourceError as error:
        raise ConfigError(
            f"background: {wanted!r} is neither {BLUR}, {WHITE} nor none, and no picture that can be read; mend it"
        ) from error


def _has_foreground(model: LoadedModel) -> bool:
    """Whether a model gives masks of people, or of what somebody points at."""
    if isinstance(model, PromptedModel):
        return True
    wanted = model.filter.classes
    return (
        model.manifest.task in _TASKS_WITH_MASKS
        and PERSON in model.manifest.class_names
        and (wanted is None or PERSON in wanted)
    )


def _check_label(key: str, label: str, models: Sequence[LoadedModel]) -> None:
    known = dict.fromkeys(name for model in models for name in _labels_of(model))
    if not known:
        raise ConfigError(f"{key}: {label!r}: no model of the stream says where things are; add a detector")
    if label not in known:
        close = difflib.get_close_matches(label, known, n=1)
        some = list(known)[:8]
        hint = f"did you mean {close[0]!r}?" if close else f"they find {', '.join(some)}" + ", ..." * (len(known) > 8)
        raise ConfigError(f"{key}: {label!r} is no label that the stream's models find; {hint}")


def _labels_of(model: LoadedModel) -> tuple[str, ...]:
    """What a model calls the things of which it says where they are."""
    if isinstance(model, TopDown):
        return model.object_labels
    if isinstance(model, PromptedModel):
        return tuple(f"object {number}" for number in range(1, MOST_OBJECTS + 1))
    if model.manifest.task not in _TASKS_WITH_AREAS:
        return ()
    names, wanted = model.manifest.class_names, model.filter.classes
    return tuple(name for name in names if wanted is None or name in wanted)
