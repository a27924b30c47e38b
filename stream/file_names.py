"""Names of files that say what they hold: of models, classes, cameras. Any thread."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_MOST_BYTES = 80
"""Of a part of a name: file systems take 255 in all."""


def file_name(text: str, otherwise: str) -> str:
    """A text as a part of a file's name on every system: letters and digits of any language, `-` for the rest.

    Args:
        text: of any length.
        otherwise: the name where nothing of the text is left.
    """
    cleaned = re.sub(r"[^\w.]+", "-", unicodedata.normalize("NFC", text)).strip("-.")
    return _cut(cleaned, _MOST_BYTES) or otherwise


def distinct_file_names(texts: Iterable[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """One `file_name` for each text, no two of them alike, nor like one that is taken, on any file system.

    A later one gets a number: `cat`, `cat-2`. Small and capital letters count as alike.
    """
    used = {name.casefold() for name in taken}
    names = []
    for text in texts:
        first = name = file_name(text, "unnamed")
        number = 1
        while name.casefold() in used:
            number += 1
            name = f"{_cut(first, _MOST_BYTES - 8)}-{number}"
        used.add(name.casefold())
        names.append(name)
    return tuple(names)


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore").strip("-.")
