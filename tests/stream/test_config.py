"""A configuration file as a user writes it, right and wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.config import read_config
from stream.errors import ConfigError
from stream.options import RunOptions, settings_for
from stream.sources import SourceOptions

ROOT = Path(__file__).parent.parent.parent


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_configuration_is_read(tmp_path: Path) -> None:
    settings = read_config(ROOT / "config.yaml")
    stream = settings.streams["drawing"]
    assert (stream.source, stream.models[0].package) == ("doodles", "quickdraw-32")
    assert stream.sinks == ("out/{name}.mp4", "out/{name}.jsonl")
    # A name alone, and one entry without a list, mean the same as the long form.
    short = read_config(write(tmp_path, "streams: {a: {source: 0, models: quickdraw-32, sinks: out.mp4}}"))
    assert (short.streams["a"].source, short.streams["a"].sinks) == ("0", ("out.mp4",))
    assert short.streams["a"].models[0].package == "quickdraw-32"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("streams: {a: {sorce: x, sinks: [y]}}", "streams.a.sorce: unknown key; did you mean 'source'?"),
        ("strems: {}", "strems: unknown key; did you mean 'streams'?"),
        (
            "streams: {a: {source: x, sinks: [y], zzz: 1}}",
            "streams.a.zzz: unknown key; known are connect_seconds, ",
        ),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, treshold: 1}]}}",
            "streams.a.models.0.treshold: unknown key; did you mean 'threshold'?",
        ),
        (
            "streams: {a: {source: x, sinks: [y], overlay: {hub: true}}}",
            "streams.a.overlay.hub: unknown key; did you mean 'hud'?",
        ),
        ("streams: {a: {sinks: [y]}}", "streams.a.source: missing; add it"),
        ("streams: {}", "streams: expected at least one entry, got {}"),
        ("streams: [a]", r"streams: expected keys with values, got \['a'\]"),
        ("streams: {a: {source: x, sinks: 3}}", "streams.a.sinks: expected a list, got 3"),
        ("streams: {a: {source: x, sinks: [y], frames: many}}", "streams.a.frames: .*valid integer.*, got 'many'"),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, threshold: 3}]}}",
            "streams.a.models.0.threshold: expected less than or equal to 1, got 3",
        ),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, device: tpu}]}}",
            "streams.a.models.0.device: expected 'auto', 'cpu' or 'cuda', got 'tpu'",
        ),
        ("streams: {a: {source: x, sinks: [y], overlay: {hud: maybe}}}", "streams.a.overlay.hud: .*got 'maybe'"),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, every: 0}]}}",
            "streams.a.models.0.every: expected greater than or equal to 1, got 0",
        ),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, count: {lnes: {}}}]}}",
            "streams.a.models.0.count.lnes: unknown key; did you mean 'lines'?",
        ),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, count: {lines: {door: [[0, 0], [1, 200]]}}}]}}",
            "streams.a.models.0.count.lines.door.1.1: expected less than or equal to 1, got 200",
        ),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, count: {zones: {till: [[0, 0], [1, 1]]}}}]}}",
            "streams.a.models.0.count.zones.till: expected at least 3 entries, got ",
        ),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, detector: {package: d, every: 2}}]}}",
            "streams.a.models.0.detector.every: unknown key; known are classes, max_detections, package, threshold",
        ),
        (
            "streams: {a: {source: x, sinks: [y], models: [{package: q, detector: 3}]}}",
            "streams.a.models.0.detector: expected a name, or keys with values, got 3",
        ),
        (
            "streams: {a: {source: 'rtsp://c/x', sinks: [y], reconnect: -1}}",
            "streams.a.reconnect: expected greater than or equal to 0, got -1",
        ),
        (
            "streams: {a: {source: 'rtsp://c/x', sinks: [y], rtsp_transport: upd}}",
            "streams.a.rtsp_transport: expected 'tcp' or 'udp', got 'upd'",
        ),
        (
            "streams: {a: {source: 'rtsp://c/x', sinks: [y], lost_after_seconds: 0}}",
            "streams.a.lost_after_seconds: expected greater than 0, got 0",
        ),
        (
            "streams: {a: {source: 'rtsp://c/x', sinks: [y], connect_seconds: .inf}}",
            "streams.a.connect_seconds: .*got inf",
        ),
        ("streams: [a", "line 1, column 12: expected ',' or ']'"),
        ("streams:\n\t- a", "line 2, column 1: found character '\\\\t'"),
        ("just words", "is no mapping of keys to values; begin with 'streams:'"),
        ("", "is no mapping of keys to values"),
    ],
)
def test_what_is_wrong_is_one_line_with_key_value_and_mend(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_or_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file or directory\)"):
        read_config(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is no UTF-8 text"):
        read_config(path)


CONFIG = """
streams:
  door: {source: door.mp4, models: [{package: quickdraw-32, top: 3}], sinks: ["out/{name}.mp4"]}
"""


def test_options_replace_what_the_file_says_and_leave_the_rest(tmp_path: Path) -> None:
    options = RunOptions(
        sources=["gate.mp4"], model={"threshold": 0.5}, stream={"frames": 7}, hud=False, overwrite=True
    )
    settings = settings_for(write(tmp_path, CONFIG), options)
    stream = settings.streams["gate"]
    assert stream.source == "gate.mp4"
    assert (stream.models[0].top, stream.models[0].threshold) == (3, 0.5)
    assert stream.sinks == ("out/gate.mp4",)
    assert (stream.frames, stream.overlay.hud, settings.overwrite) == (7, False, True)


def test_a_source_alone_gets_the_default_model_and_sink() -> None:
    settings = settings_for(None, RunOptions(sources=["a/clip.mp4", "doodles", "0:640x480@30", "/dev/video2"]))
    assert {name: stream.sinks for name, stream in settings.streams.items()} == {
        "clip": ("out/clip.mp4",),
        "doodles": ("out/doodles.mp4",),
        "webcam-0": ("out/webcam-0.mp4",),
        "video2": ("out/video2.mp4",),
    }
    assert settings.streams["clip"].models[0].package == "quickdraw-32"


def test_a_network_source_names_its_files_without_its_password() -> None:
    cameras = ["rtsp://u:secret@cam.local/live?x=1", "rtsp://u:secret@cam.local/live?x=2", "rtsp://u:secret@door/live"]
    settings = settings_for(None, RunOptions(sources=[*cameras, "https://example.org/films/clip.mp4"]))
    assert list(settings.streams) == ["cam.local-live-1", "cam.local-live-2", "door-live", "clip"]
    assert [stream.source for stream in settings.streams.values()][:3] == cameras


def test_what_is_said_of_a_source_reaches_it(tmp_path: Path) -> None:
    text = """streams: {a: {source: 'rtsp://c/x', sinks: [y], reconnect: 3, rtsp_transport: udp, connect_seconds: 20,
    lost_after_seconds: 2.5}}"""
    options = read_config(write(tmp_path, text)).streams["a"].source_options()
    assert options == SourceOptions(3, "udp", 20, 2.5)
    default = settings_for(None, RunOptions(sources=["rtsp://c/x"])).streams["c-x"]
    assert default.source_options() == SourceOptions()


def test_the_model_none_is_no_model() -> None:
    assert settings_for(None, RunOptions(sources=["x.mp4"], models=["none"])).streams["x"].models == ()


def test_without_anything_to_run_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"there is no config.yaml here; give a configuration file, or --source"):
        settings_for(None, RunOptions())
    write(tmp_path, CONFIG)
    assert list(settings_for(None, RunOptions()).streams) == ["door"]


def test_a_source_does_not_say_which_of_several_streams_it_replaces(tmp_path: Path) -> None:
    path = write(tmp_path, "streams: {a: {source: x, sinks: [y]}, b: {source: x, sinks: [z]}}")
    with pytest.raises(ConfigError, match="has 2 streams, so --source is ambiguous"):
        settings_for(path, RunOptions(sources=["c.mp4"]))


def test_no_file_is_written_twice_and_none_is_read_and_written(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    with pytest.raises(ConfigError, match=r"clip.mp4' is also a source; choose another name"):
        settings_for(None, RunOptions(sources=[str(clip)], sinks=[f"{tmp_path}/./clip.mp4"], overwrite=True))
    with pytest.raises(ConfigError, match=r"clip.mp4' is also a source"):
        settings_for(None, RunOptions(sources=[str(clip)], sinks=[f"masks:{clip}"], overwrite=True))
    with pytest.raises(ConfigError, match=r"'o.mp4' is written twice; choose other names, such as 'out/\{name\}.mp4'"):
        settings_for(None, RunOptions(sources=["a.mp4", "b.mp4"], sinks=["o.mp4"]))
    # Nothing is written by `null`, so it may stand anywhere.
    assert len(settings_for(None, RunOptions(sources=["a.mp4", "b.mp4"], sinks=["null"])).streams) == 2
