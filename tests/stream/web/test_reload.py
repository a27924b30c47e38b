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
        models = {name: list(stream.pipeline.providers) for name, stream in now.hub.streams.items()}
        assert models == {"front": ["quickdraw-345"], "back": []}
        assert {stream.state for stream in now.hub.streams.values()} == {"running"}
    assert not list(tmp_path.glob("*.mp4"))


def test_what_is_to_be_hidden_is_not_hidden_behind_the_back_of_those_who_see_the_plain_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Pages are given the plain picture unless the run began with `isolate`: a later one would hide nothing there."""
    monkeypatch.setattr(live_changes, "LOOK_EVERY_SECONDS", 0.05)
    path, options = tmp_path / "config.yaml", RunOptions(sinks=("null",))
    path.write_text(json.dumps({"streams": {"a": {"source": PATTERN, "sinks": ["null"]}}, "web": {"port": 0}}))
    config = ConfigFile(path, lambda: settings_for(path, options), lambda _: None)
    with serving(config.read(), config):
        path.write_text(path.read_text().replace('"null"]', '"null"], "overlay": {"isolate": "person:blur"}'))
        end = time.monotonic() + PATIENCE_SECONDS
        while not caplog.records:
            assert time.monotonic() < end
            time.sleep(0.02)
    assert [record.getMessage() for record in caplog.records] == [
        "overlay: isolate, background and browser hold for all who watch in browsers: needs a restart; "
        "the configuration before goes on"
    ]
