"""What a user may get wrong: one or two lines that say what and how to mend it, the right exit code, no traceback."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.end_to_end.conftest import Mirilla


def said(result: object) -> str:
    text: str = result.stderr  # type: ignore[attr-defined]
    assert "Traceback" not in text
    lines = [line for line in text.strip().splitlines() if line.strip()]
    assert 1 <= len(lines) <= 2, text
    return text


def empty_file(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def text_file(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("this is no video\n" * 100, encoding="utf-8")
    return path


def folder_without_images(folder: Path) -> Path:
    path = folder / "holiday"
    path.mkdir()
    (path / "notes.txt").write_text("sea", encoding="utf-8")
    return path


def empty_image(folder: Path) -> Path:
    path = folder / "empty.png"
    path.touch()
    return path


def image_without_pixels(folder: Path) -> Path:
    """A PNG of 0x0 pixels, made of its chunks: no encoder writes one."""
    chunks = [(b"IHDR", struct.pack(">2I5B", 0, 0, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    path = folder / "nothing.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )
    return path


def video_without_its_index(folder: Path) -> Path:
    clip = (folder / "clip.mp4").read_bytes()
    path = folder / "cut.mp4"
    path.write_bytes(clip[: len(clip) // 2])  # ffmpeg writes the index last
    return path


@pytest.mark.parametrize(
    "make_source",
    [
        lambda folder: folder / "missing.mp4",
        empty_file,
        text_file,
        folder_without_images,
        empty_image,
        image_without_pixels,
        video_without_its_index,
        lambda folder: folder / "no" / "such" / "folder",
    ],
)
@pytest.mark.usefixtures("clip")
def test_a_source_that_cannot_be_read_exits_2_and_leaves_nothing(
    make_source: object, mirilla: Mirilla, tmp_path: Path
) -> None:
    source = make_source(tmp_path)  # type: ignore[operator]
    result = mirilla("run", "--source", source, "--model", "none", "--sink", "out/seen.mp4")
    assert result.returncode == 2
    assert source.name in said(result)
    assert not list(tmp_path.glob("out/*"))


def test_a_camera_that_is_not_there_exits_2_and_says_so(mirilla: Mirilla) -> None:
    result = mirilla("run", "--source", "webcam:nobody's", "--model", "none", "--sink", "null")
    assert result.returncode == 2
    assert 'source: webcam "nobody\'s" is not there; ' in said(result)


def test_a_one_pixel_image_is_a_picture_like_any_other(mirilla: Mirilla, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.full((1, 1, 3), 200, np.uint8))
    result = mirilla("run", "--source", "dot.png", "--model", "quickdraw-32", "--sink", "frames/", "--sink", "dot.mp4")
    assert result.returncode == 0, result.stderr
    written = cv2.imread(str(next((tmp_path / "frames").iterdir())))
    assert written is not None
    assert written.shape == (1, 1, 3)
    assert int(written[0, 0, 0]) == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "quickdraw-23"], "did you mean 'quickdraw-32'?"),
        (["--model", "quickdraw-32", "--classes", "kat"], "did you mean 'cat'?"),
        (["--model", "quickdraw-32", "--threshold", "7"], "threshold: expected less than or equal to 1, got 7"),
        (["--model", "none", "--sink", "out.xyz"], "'out.xyz' is no kind of sink"),
        (["--model", "none", "--sink", "clip.mp4", "--overwrite"], "'clip.mp4' is also a source"),
        (["--model", "none", "--frames", "0"], "frames: expected greater than or equal to 1, got 0"),
        (["--model", "none", "--sink", "null", "--report", "/proc/nowhere/r.json"], "report: /proc/nowhere/r.json"),
    ],
)
@pytest.mark.usefixtures("clip")
def test_an_option_that_is_wrong_exits_2(arguments: list[str], message: str, mirilla: Mirilla) -> None:
    result = mirilla("run", "--source", "clip.mp4", *arguments)
    assert result.returncode == 2
    assert message in said(result)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("streams: {a: {sorce: clip.mp4, sinks: ['null']}}", "streams.a.sorce: unknown key; did you mean 'source'?"),
        ("streams: {a: {source: clip.mp4, sinks: ['null'], frames: x}}", "streams.a.frames"),
        ("streams: [", "line 1, column 11"),
    ],
)
@pytest.mark.usefixtures("clip")
def test_a_configuration_that_is_wrong_exits_2(text: str, message: str, mirilla: Mirilla, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    result = mirilla("run", "mine.yaml")
    assert result.returncode == 2
    assert message in said(result)
    assert mirilla("run", "no.yaml").returncode == 2


@pytest.mark.usefixtures("clip")
def test_output_that_exists_is_not_replaced_unless_asked(mirilla: Mirilla, tmp_path: Path) -> None:
    (tmp_path / "seen.mp4").write_bytes(b"precious")
    arguments = ("run", "--source", "clip.mp4", "--model", "none", "--sink", "seen.mp4")
    result = mirilla(*arguments)
    assert result.returncode == 2
    assert "--overwrite" in said(result)
    assert (tmp_path / "seen.mp4").read_bytes() == b"precious"
    assert mirilla(*arguments, "--overwrite").returncode == 0
    assert (tmp_path / "seen.mp4").stat().st_size > 1000


def test_a_file_that_breaks_in_the_middle_exits_1_with_all_that_was_decoded_written(
    mirilla: Mirilla, clip: Path, tmp_path: Path
) -> None:
    import av

    whole = tmp_path / "whole.mp4"
    with av.open(str(clip)) as source, av.open(str(whole), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    (tmp_path / "broken.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    result = mirilla("run", "--source", "broken.mp4", "--model", "none", "--sink", "seen.mp4")
    assert result.returncode == 1
    assert "broken.mp4" in result.stderr
    assert "Traceback" not in result.stderr
    with av.open(str(tmp_path / "seen.mp4")) as seen:
        written = sum(1 for _ in seen.decode(video=0))
    assert 10 < written < 50


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="only Linux has /dev/full")
@pytest.mark.usefixtures("clip")
def test_a_report_for_which_the_disk_has_no_room_is_said_when_the_rest_is_whole(
    mirilla: Mirilla, tmp_path: Path
) -> None:
    result = mirilla("run", "--source", "clip.mp4", "--model", "none", "--sink", "seen.jsonl", "--report", "/dev/full")
    assert result.returncode == 1
    assert "report: /dev/full: the disk is full; free some space or write elsewhere" in result.stderr
    assert "Traceback" not in result.stderr
    assert len((tmp_path / "seen.jsonl").read_text(encoding="utf-8").splitlines()) == 50


@pytest.mark.usefixtures("clip")
def test_debug_shows_where_an_error_arose(mirilla: Mirilla) -> None:
    result = mirilla("run", "--source", "missing.mp4", "--debug")
    assert "Traceback" in result.stderr


def config_of(folder: Path, model: str) -> Path:
    path = folder / "watch.yaml"
    path.write_text(f"streams: {{a: {{source: pattern, models: [{model}], sinks: ['null']}}}}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{package: quickdraw-32, track: true}", "quickdraw-32: track: the model finds no objects; leave 'track' out"),
        ("{package: quickdraw-32, count: {}}", "quickdraw-32: count: the model finds no objects; leave 'count' out"),
    ],
)
def test_a_model_without_objects_can_neither_track_nor_count(
    model: str, message: str, mirilla: Mirilla, tmp_path: Path
) -> None:
    result = mirilla("run", config_of(tmp_path, model))
    assert result.returncode == 2
    assert message in said(result)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--isolate", "persn"], "isolate: 'persn' is no label that the stream's models find; did you mean 'person'?"),
        (["--isolate", "persn:blur"], "isolate: 'persn' is no label that the stream's models find"),
        (["--isolate", "person:pink"], "isolate: 'pink' is no way to show the rest; choose white, blur, grey"),
        (["--highlight", "bycicle"], "did you mean 'bicycle'?"),
        (["--highlight", "xyzzy"], "'xyzzy' is no label that the stream's models find; they find person, bicycle, "),
        # What is filtered away is not found.
        (["--classes", "dog,cat", "--highlight", "person"], "they find cat, dog"),
        (["--isolate", "dog", "--highlight", "dog"], "overlay: isolate and highlight exclude one another"),
    ],
)
def test_a_label_that_no_model_finds_is_said_before_the_first_frame(
    options: list[str], message: str, test_data: Path, mirilla: Mirilla, tmp_path: Path
) -> None:
    detector = test_data / "weights" / "yolov8n_int8.onnx"
    result = mirilla("run", "--source", "pattern", "--model", detector, "--sink", "out/a.mp4", *options)
    assert result.returncode == 2
    assert message in said(result)
    assert not list(tmp_path.glob("out/*"))


def test_a_model_that_sees_no_places_can_isolate_nothing(mirilla: Mirilla) -> None:
    result = mirilla("run", "--source", "pattern", "--model", "quickdraw-32", "--sink", "null", "--isolate", "cat")
    assert result.returncode == 2
    assert "isolate: 'cat': no model of the stream says where things are" in said(result)
