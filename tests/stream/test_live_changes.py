"""An edited configuration changes the streams that run by it; a bad edit changes nothing and is said in one line."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import pytest

from stream import live_changes
from stream.config_file import ConfigFile, FileWatch
from stream.options import RunOptions, settings_for
from stream.pipeline import Pipeline
from stream.running_stream import StreamOutcome
from stream.stream_run import run_settings

PATTERN = "pattern:160x120@25x100000"
MOST_LOOKS = 300
"""Five a second."""


def test_a_file_has_changed_when_its_new_content_stands(tmp_path: Path) -> None:
    path, other = tmp_path / "config.yaml", tmp_path / "other"
    path.write_text("a")
    watch = FileWatch(path)
    assert not watch.has_changed()

    path.touch()
    assert [watch.has_changed(), watch.has_changed()] == [False, False]  # nothing in it is new

    path.write_text("b")
    assert [watch.has_changed(), watch.has_changed(), watch.has_changed()] == [False, True, False]

    # an editor that writes in parts
    path.write_text("c")
    assert not watch.has_changed()
    path.write_text("cd")
    assert [watch.has_changed(), watch.has_changed()] == [False, True]

    # an editor that writes beside it and puts that in its place
    other.write_text("e")
    other.replace(path)
    assert [watch.has_changed(), watch.has_changed()] == [False, True]

    # one that takes it away first, and one that puts back what was there
    path.unlink()
    assert [watch.has_changed(), watch.has_changed()] == [False, False]
    path.write_text("e")
    assert [watch.has_changed(), watch.has_changed()] == [False, False]

    # a link that is turned to another file
    path.unlink()
    other.write_text("f")
    path.symlink_to(other)
    assert [watch.has_changed(), watch.has_changed()] == [False, True]


Step = Callable[[], bool]


class Editor:
    """A person who watches a run and edits its configuration: each step is looked at until it is done."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "config.yaml"
        self.said: list[str] = []
        self.pipelines: dict[str, Pipeline] = {}
        self.steps: list[Step] = []
        self._looks = 0

    def write(self, streams: dict[str, Any], **further: Any) -> None:
        """Write the file anew; JSON is YAML."""
        content = {"streams": {name: {"source": PATTERN, "realtime": True, **one} for name, one in streams.items()}}
        self.path.write_text(json.dumps({**content, **further}))

    def then(self, action: Callable[[], object], until: Step) -> None:
        """Do something, and wait for what comes of it."""

        def act() -> bool:
            action()
            return True

        self.steps += [act, until]

    def hears(self, *lines: str) -> Step:
        return lambda: all(line in self.said for line in lines)

    def writes_more(self, name: str = "pattern", frames: int = 8) -> Step:
        """Whether so many frames more have been written than at the first look."""
        begun: list[int] = []

        def look() -> bool:
            written = self.pipelines[name].metrics.snapshot().written
            begun.append(written)
            return written >= begun[0] + frames

        return look

    def run(self) -> list[StreamOutcome]:
        """Run until all steps are done."""
        options = RunOptions()
        config = ConfigFile(self.path, lambda: settings_for(self.path, options), self.said.append)
        outcomes = run_settings(settings_for(self.path, options), self, config=config)
        assert not self.steps, "not all that was to come came"
        assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("mirilla-")]
        for outcome in outcomes:
            frames = outcome.report["frames"]
            assert frames["captured"] == frames["written"] + sum(frames["dropped"].values())
            assert outcome.error is None
        return outcomes

    # RunView

    def following(self, name: str, pipeline: Pipeline) -> Callable[[], None]:
        self.pipelines[name] = pipeline
        return self._look

    def finished(self, outcome: StreamOutcome) -> None:
        """Nothing."""

    def _look(self) -> None:
        self._looks += 1
        while self.steps and self.steps[0]():
            self.steps.pop(0)
        if not self.steps or self._looks > MOST_LOOKS:
            for pipeline in self.pipelines.values():
                pipeline.stop()


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(live_changes, "LOOK_EVERY_SECONDS", 0.05)
    return Editor(tmp_path)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def frame_count(path: Path) -> int:
    """How many frames an independent reader finds in a whole video, whose time begins at 0."""
    with av.open(str(path)) as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert times[0] == 0
    return len(times)


def test_models_thresholds_overlays_and_sinks_change_and_the_source_goes_on(editor: Editor, tmp_path: Path) -> None:
    one = {"source": "doodles", "models": ["quickdraw-32"], "sinks": ["first.mp4", "all.jsonl"]}
    model = {"package": "quickdraw-345", "top": 2, "threshold": 0}
    two = {"source": "doodles", "models": [model], "sinks": ["second.mp4", "all.jsonl"]}
    editor.write({"pattern": one})
    editor.steps = [editor.writes_more()]
    editor.then(lambda: editor.write({"pattern": two}), editor.hears("pattern: changed: models, sinks"))
    editor.steps.append(editor.writes_more())
    editor.then(
        lambda: editor.write({"pattern": {**two, "overlay": {"hud": False}}}),
        editor.hears("pattern: changed: overlay"),
    )
    editor.steps.append(editor.writes_more())
    (outcome,) = editor.run()

    written = lines(tmp_path / "all.jsonl")
    names = ["+".join(line["results"]) for line in written]
    changed_at = names.index("quickdraw-345")
    assert set(names[:changed_at]) == {"quickdraw-32"}
    assert set(names[changed_at:]) == {"quickdraw-345"}
    assert len(written[-1]["results"]["quickdraw-345"]["labels"]) == 2
    indices = [line["index"] for line in written]
    assert indices == sorted(set(indices))
    assert outcome.paths == ["first.mp4", "all.jsonl", "second.mp4"]
    whole = frame_count(tmp_path / "first.mp4") + frame_count(tmp_path / "second.mp4")
    assert whole == outcome.report["frames"]["written"] == len(written)
    assert (
        set(outcome.report["models"]) == set(outcome.report["frames"]["inferred"]) == {"quickdraw-32", "quickdraw-345"}
    )
    assert not list(tmp_path.glob("*partial*"))


BAD: dict[str, tuple[Callable[[Editor], object], str]] = {
    "no YAML": (lambda editor: editor.path.write_text("streams: ["), "mend the YAML there"),
    "a key misspelt": (
        lambda editor: editor.write({"pattern": {"sinks": ["null"], "modles": []}}),
        "did you mean 'models'",
    ),
    "a package that is not there": (
        lambda editor: editor.write({"pattern": {"sinks": ["null"], "models": ["quickdraw-33"]}}),
        "did you mean 'quickdraw-32'",
    ),
    "a class that the model does not know": (
        lambda editor: editor.write(
            {"pattern": {"sinks": ["null"], "models": [{"package": "quickdraw-32", "classes": ["catt"]}]}}
        ),
        "catt",
    ),
    "a label that nothing finds": (
        lambda editor: editor.write({"pattern": {"sinks": ["null"], "overlay": {"isolate": "person"}}}),
        "no model of the stream says where things are",
    ),
    "a sink of no kind": (lambda editor: editor.write({"pattern": {"sinks": ["out.xyz"]}}), "is no kind of sink"),
    "a file that exists": (lambda editor: editor.write({"pattern": {"sinks": ["taken.mp4"]}}), "taken.mp4 exists"),
    "a page, which only a run as a whole has": (
        lambda editor: editor.write({"pattern": {"sinks": ["all.jsonl", "web"]}}),
        "'web' comes and goes with the run",
    ),
    "one good stream beside one bad": (
        lambda editor: editor.write({"pattern": {"sinks": ["null"]}, "other": {"sinks": ["out.xyz"], "models": [7]}}),
        "other.models.0",
    ),
}


def test_a_bad_edit_is_said_in_one_line_and_all_goes_on_as_it_was(
    editor: Editor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken.mp4").write_bytes(b"somebody's")
    editor.write({"pattern": {"models": ["quickdraw-32"], "sinks": ["all.jsonl"]}})

    def is_refused(count: int) -> Step:
        return lambda: len(refusals(caplog)) == count

    for number, (edit, _) in enumerate(BAD.values(), 1):
        editor.then(lambda edit=edit: edit(editor), is_refused(number))  # type: ignore[misc]  # bound for the loop
    editor.steps.append(editor.writes_more())
    (outcome,) = editor.run()

    for line, (name, (_, mend)) in zip(refusals(caplog), BAD.items(), strict=True):
        assert mend in line, name
        assert line.endswith("; the configuration before goes on"), name
        assert "\n" not in line, name
    assert not editor.said
    assert {"+".join(line["results"]) for line in lines(tmp_path / "all.jsonl")} == {"quickdraw-32"}
    assert outcome.paths == ["all.jsonl"]
    assert (tmp_path / "taken.mp4").read_bytes() == b"somebody's"


def refusals(caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    """The lines that a person sees about changes that were not made."""
    return [
        record.getMessage()
        for record in caplog.records
        if getattr(record, "event", None) == "change_refused" and record.levelno == logging.WARNING
    ]


def test_what_needs_a_restart_is_said_and_the_rest_is_changed(editor: Editor, caplog: pytest.LogCaptureFixture) -> None:
    streams = {"a": {"sinks": ["null"]}, "b": {"sinks": ["null"]}}
    editor.write(streams)
    editor.steps = [editor.writes_more("a")]
    edited = {
        "a": {"source": "doodles", "frames": 7, "sinks": ["a.jsonl"]},
        "c": {"sinks": ["null"]},
    }
    editor.then(lambda: editor.write(edited, web={"port": 1}), editor.hears("a: changed: sinks"))
    editor.steps.append(editor.writes_more("a", frames=20))
    outcomes = editor.run()
    said = [record.getMessage() for record in caplog.records if getattr(record, "event", None) == "needs_restart"]
    assert said == [
        "a: source, frames: needs a restart",
        "c: a new stream: needs a restart",
        "b: a stream taken out: needs a restart",
        "web: needs a restart",
    ]
    assert [outcome.name for outcome in outcomes] == ["a", "b"]
    assert outcomes[0].paths == ["a.jsonl"]


def test_streams_share_a_model_that_both_are_changed_to(editor: Editor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    editor.write({name: {"models": [], "sinks": ["null"]} for name in ("a", "b")})
    with_model = {name: {"models": ["quickdraw-32"], "sinks": ["null"]} for name in ("a", "b")}
    editor.then(lambda: editor.write(with_model), editor.hears("a: changed: models", "b: changed: models"))
    editor.steps += [editor.writes_more("a"), editor.writes_more("b")]
    outcomes = editor.run()
    assert [record for record in caplog.records if getattr(record, "event", None) == "model_loaded"][1:] == []
    assert all(outcome.report["frames"]["inferred"]["quickdraw-32"] > 0 for outcome in outcomes)


def test_a_package_under_the_name_of_another_is_in_the_report(editor: Editor) -> None:
    def named(package: str) -> dict[str, Any]:
        return {"pattern": {"models": [{"package": package, "name": "guess"}], "sinks": ["null"]}}

    editor.write(named("quickdraw-32"))
    editor.steps = [editor.writes_more()]
    editor.then(lambda: editor.write(named("quickdraw-345")), editor.hears("pattern: changed: models"))
    (outcome,) = editor.run()
    about = outcome.report["models"]["guess"]
    assert (about["package"], about["packages"]) == ("quickdraw-345", ["quickdraw-32", "quickdraw-345"])


def test_a_person_changes_the_model_and_is_told(editor: Editor) -> None:
    editor.write({"pattern": {"models": ["quickdraw-32"], "sinks": ["null"]}})

    def tells(text: str) -> Step:
        def look() -> bool:
            notice = editor.pipelines["pattern"].controls.notice
            return notice is not None and notice.text == text

        return look

    def step(places: int) -> Callable[[], object]:
        return lambda: editor.pipelines["pattern"].controls.step_model(places)

    editor.steps = [editor.writes_more()]
    # Both that are bundled are asked the same; round and round.
    editor.then(step(1), tells("quickdraw-345 (2 of 2)"))
    editor.then(step(1), tells("quickdraw-32 (1 of 2)"))
    editor.then(step(-1), tells("quickdraw-345 (2 of 2)"))
    editor.steps.append(editor.writes_more())
    (outcome,) = editor.run()
    assert set(outcome.report["frames"]["inferred"]) == {"quickdraw-32", "quickdraw-345"}


@pytest.mark.parametrize(
    ("models", "mend"),
    [
        ([], "models: this stream runs without one, so there is none to change"),
        # named alternatives are taken at their word
        ([{"package": "quickdraw-32", "alternatives": ["quickdraw-32"]}], "name some as 'alternatives' of the model"),
        ([{"package": "quickdraw-32", "alternatives": ["nowhere.onnx"]}], "'nowhere.onnx' is neither a bundled model"),
    ],
)
def test_a_model_that_there_is_not_is_a_warning_for_who_asked(editor: Editor, models: list[Any], mend: str) -> None:
    editor.write({"pattern": {"models": models, "sinks": ["null"]}})

    def is_warned() -> bool:
        notice = editor.pipelines["pattern"].controls.notice
        return notice is not None and notice.is_warning and mend in notice.text

    editor.steps = [editor.writes_more(frames=2)]
    editor.then(lambda: editor.pipelines["pattern"].controls.step_model(1), is_warned)
    editor.run()
