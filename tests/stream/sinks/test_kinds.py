"""What the user writes after `--sink` means one kind of sink."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream.errors import SinkError
from stream.sinks import make_sink, sink_kinds
from stream.sinks.gif import GifSink
from stream.sinks.image_folder import ImageFolderSink
from stream.sinks.masks import MaskFolderSink, MaskGifSink
from stream.sinks.null import NullSink
from stream.sinks.results import ResultsSink
from stream.sinks.sink import Sink
from stream.sinks.video import VideoSink
from stream.sinks.window import WindowSink
from tests.stream.sinks.recording import describe, write_frames


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("out.mp4", VideoSink),
        ("a/b.c/OUT.MKV", VideoSink),
        ("out.gif", GifSink),
        ("frames/", ImageFolderSink),
        ("clips.mp4/", ImageFolderSink),  # the slash decides
        ("existing", ImageFolderSink),
        ("existing.mp4", VideoSink),  # which then says that it is a folder
        ("masks/", MaskFolderSink),  # the name says what is meant
        ("out/masks/", MaskFolderSink),
        ("masks/frames/", ImageFolderSink),
        ("masks:frames/", MaskFolderSink),
        ("masks:out.gif", MaskGifSink),
        ("results.jsonl", ResultsSink),
        ("results.CSV", ResultsSink),
        ("null", NullSink),
        ("window", WindowSink),
    ],
)
def test_a_text_means_one_kind(spec: str, kind: type[Sink], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "existing").mkdir()
    (tmp_path / "existing.mp4").mkdir()
    assert len([k for k in sink_kinds() if not k.prefix and k.accepts(spec)]) == 1
    assert isinstance(make_sink(spec), kind)


@pytest.mark.parametrize(
    "spec", ["", "out", "out.avi", "mp4", ".mp4.txt", "NULL", "masks:", "masks:out", "masks:a.mp4"]
)
def test_other_texts_are_refused_with_what_there_is(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError, match=r"no kind of sink .* video \(\.mp4, \.mkv\)"):
        make_sink(spec)


def test_null_takes_all_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sink = make_sink("null")
    sink.open(describe())
    write_frames(sink, describe(), [0, 1, 2])
    sink.close()
    assert sink.paths() == []
    assert not sink.needs_image
    assert list(tmp_path.iterdir()) == []
