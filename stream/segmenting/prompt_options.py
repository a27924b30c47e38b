"""What the command line says of objects, read: `--point`, `--negative` and `--box` of one, `--object` of each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from models.prompts import ObjectPrompt as Prompt
from models.prompts import Point
from stream.errors import ConfigError
from stream.explain.iou import parse_box

_WORDS = "point:X,Y negative:X,Y box:X1,Y1,X2,Y2"


def parse_prompts(
    points: Sequence[str], negatives: Sequence[str], boxes: Sequence[str], objects: Sequence[str]
) -> list[Prompt]:
    """The objects: the one that `--point`, `--negative` and `--box` speak of, if they do, then each `--object`.

    Args:
        points: `X,Y` each.
        negatives: `X,Y` each.
        boxes: `X1,Y1,X2,Y2` each.
        objects: `point:X,Y negative:X,Y box:X1,Y1,X2,Y2`, in any order and number, but one box.

    Raises:
        ConfigError: a text is not of its form; names the option.
        PromptError: what an object is given does not say where it is.
    """
    prompts = []
    if points or negatives or boxes:
        prompts.append(_prompt("--", points, negatives, boxes))
    for text in objects:
        words: defaultdict[str, list[str]] = defaultdict(list)
        for word in text.split():
            kind, _, numbers = word.partition(":")
            if kind not in ("point", "negative", "box"):
                raise ConfigError(f"--object: {word!r} is none of {_WORDS}; put spaces between them")
            words[kind].append(numbers)
        prompts.append(_prompt("--object: ", words["point"], words["negative"], words["box"]))
    return prompts


def _prompt(option: str, points: Sequence[str], negatives: Sequence[str], boxes: Sequence[str]) -> Prompt:
    if len(boxes) > 1:
        raise ConfigError(f"{option}box: an object has one box, got {len(boxes)}; give each object its own --object")
    return Prompt(
        tuple(_point(f"{option}point", text) for text in points),
        tuple(_point(f"{option}negative", text) for text in negatives),
        parse_box(f"{option}box", boxes[0]) if boxes else None,
    )


def _point(option: str, text: str) -> Point:
    try:
        x, y = (float(part) for part in re.split(r"\s*,\s*", text.strip()))
    except ValueError as error:
        raise ConfigError(f"{option}: expected X,Y in pixels, got {text!r}; mend it") from error
    return x, y
