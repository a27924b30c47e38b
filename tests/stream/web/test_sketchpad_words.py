"""What can be drawn has a name in Spanish, every thing another one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from models.package import find_package

WORDS = Path(__file__).parents[3] / "stream/web/static/draw/words.js"


def test_every_class_of_the_bundled_models_has_a_spanish_name_of_its_own() -> None:
    lines = re.findall(r'^  ("[^"]+"|\w+): ("[^"]+"),$', WORDS.read_text(encoding="utf-8"), re.MULTILINE)
    names = {json.loads(key) if key.startswith('"') else key: json.loads(name) for key, name in lines}
    assert list(names) == list(dict.fromkeys(names))
    known = {label for model in ("quickdraw-32", "quickdraw-345") for label in find_package(model).manifest.class_names}
    assert known == set(names)
    assert len(set(names.values())) == len(names)
