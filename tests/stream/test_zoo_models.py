"""Which models of a run are of the zoo and not here yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.config import check_settings
from stream.zoo_models import missing_from_zoo, packages_of


def test_detectors_of_pose_models_are_fetched_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRILLA_HOME", str(tmp_path))
    models = [
        {"package": "vitpose-base", "detector": "yolos-tiny"},
        {"package": "vitpose-base", "name": "again", "detector": {"package": "none"}},
        "quickdraw-32",
    ]
    stream = {"source": "pattern", "models": models, "sinks": ["null"]}
    assert missing_from_zoo(packages_of(check_settings({"streams": {"a": stream}}, "test"))) == [
        "vitpose-base",
        "yolos-tiny",
    ]
