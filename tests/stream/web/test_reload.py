"""An edited configuration changes the streams that a server shows, under the eyes of its viewers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from stream import live_changes
from stream.config_file import ConfigFile
from stream.options import RunOptions, settings_for
from stream.web.serve import serving
from tests.stream.web.conftest import PATTERN

PATIENCE_SECONDS = 20


def test_models_of_served_streams_change_and_their_addresses_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_changes, "LOOK_EVERY_SECONDS", 0.05)
    path, said = tmp_path / "config.yaml", list[str]()

    def write(**streams: dict[str, Any]) -> None:
        with_sinks = {name: {"source": PATTERN, "sinks": ["out.mp4"], **one} for name, one in streams.items()}
        path.write_text(json.dumps({"streams": with_sinks, "web": {"port": 0}}))

    options = RunOptions(sinks=("null",))
    write(front={}, back={"models": ["quickdraw-32"]})
    config = ConfigFile(path, lambda: settings_for(path, options), said.append)
    with serving(config.read(), config) as now:
        # Sinks rest while streams are served, also when the file has others.
        write(front={"models": ["quickdraw-345"], "sinks": ["other.mp4"]}, back={"models": []})
        end = time.monotonic() + PATIENCE_SECONDS
        while len(said) < 2:
            assert time.monotonic() < end, said
            time.sleep(0.02)
        assert sorted(said) == ["back: changed: models", "front: changed: models"]
        models = {name: list(stream.pipeline.providers) for name, stream in now.streams.items()}
        assert models == {"front": ["quickdraw-345"], "back": []}
        assert {stream.state for stream in now.streams.values()} == {"running"}
    assert not list(tmp_path.glob("*.mp4"))
