"""What to run: `config.yaml` and command line options as typed, frozen settings.

Read once by the command; every key is checked before anything is opened.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from models.onnx_session import Device, GraphOptimization
from stream.checked import Checked
from stream.errors import ConfigError
from stream.picture_timing import Timing
from stream.sources.source import RtspTransport, SourceOptions
from stream.web_settings import Allowed, IceServers, InterfaceRules, TlsOrNone

# Where pydantic speaks of Python's types, say it in YAML's.
_EXPECTED = {
    "dict_type": "expected keys with values",
    "model_type": "expected a name, or keys with values",
    "tuple_type": "expected a list",
}


def _as_model(value: Any) -> Any:
    return {"package": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


_Share = Annotated[float, Field(ge=0, le=1)]
_Point = tuple[_Share, _Share]
"""x and y, 0..1 of the picture's width and height."""


class CountSettings(Checked):
    """What of a model's objects is counted, besides how many there are."""

    lines: dict[str, tuple[_Point, _Point]] = Field(default_factory=dict)
    """Start and end by name."""
    zones: dict[str, Annotated[tuple[_Point, ...], Field(min_length=3)]] = Field(default_factory=dict)
    """Corners by name."""


class DetectorSettings(Checked):
    """The detector that finds people for a pose model, or drawings for a sketch model; it runs where that runs."""

    package: str
    """As a model's; `none` takes the whole picture for one person, or looks for one drawing in it."""
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    classes: tuple[str, ...] | None = None
    """None takes what is called `person` or `drawing`, or everything where the detector knows no such class."""
    max_detections: Annotated[int, Field(ge=1)] = 300


class ModelSettings(Checked):
    """A model of a stream."""

    package: str
    """A bundled name, a package folder or an `.onnx` file."""
    name: str | None = None
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    """None leaves it to the model's task."""
    classes: tuple[str, ...] | None = None
    texts: Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_list)] | None = None
    """What a zero-shot classifier tells apart; None where a model has classes of its own."""
    top: Annotated[int, Field(ge=1)] = 5
    max_detections: Annotated[int, Field(ge=1)] = 300
    device: Device = "auto"
    threads: Annotated[int, Field(ge=1)] | None = None
    graph_optimization: GraphOptimization | None = None
    unverified: bool = False
    alternatives: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    """Packages that n and p in the window change to; those of the same task that are here where none is given."""
    every: Annotated[int, Field(ge=1)] = 1
    """Runs on every Nth frame; its result is carried to the frames between."""
    skip_unchanged: bool = False
    """Does not run while the scene does not change; the last result holds."""
    track: bool = False
    """Objects keep an id from frame to frame, and are counted."""
    count: CountSettings | None = None
    detector: Annotated[DetectorSettings | None, BeforeValidator(_as_model)] = None
    """For pose models and sketch models, and only for them."""
    ink: Annotated[str, Field(min_length=1)] | None = None
    """For sketch models behind a detector: the package that tells ink from paper; None takes `drawing-segmenter`."""


class OverlaySettings(Checked):
    """What is drawn, and when."""

    results: Timing = "auto"
    """Whether a picture waits for what is inferred on it (`exact`), or shows the newest results (`latest`)."""
    browser: bool = False
    """Pages get the plain picture, and draw on it themselves what the models see; files are as ever."""
    hud: bool = True
    watermark: bool = False
    """The time of capture as a strip that `mirilla latency` reads."""
    isolate: str | None = None
    """`LABEL` or `LABEL:REST`, with a rest of `white`, `blur` or `grey`."""
    highlight: str | None = None
    """`LABEL`."""
    background: Annotated[str, Field(min_length=1)] = "none"
    """What comes behind people: `blur`, `white`, a picture's path, or `none`, what is there."""


def _as_overlay(value: Any) -> Any:
    if value == "browser":
        return {"browser": True}
    return {"results": value} if isinstance(value, str) else value


class StreamSettings(Checked):
    """One stream: a source, models, sinks."""

    source: Annotated[str, Field(coerce_numbers_to_str=True)]
    models: Annotated[tuple[Annotated[ModelSettings, BeforeValidator(_as_model)], ...], BeforeValidator(_as_list)] = ()
    sinks: Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_list)]
    overlay: Annotated[OverlaySettings, BeforeValidator(_as_overlay)] = OverlaySettings()
    realtime: bool = False
    """Plays a recording by the clock, as if it were a camera."""
    max_age_ms: Annotated[float, Field(gt=0)] | None = None
    """A live source's frame that is older when a model could take it is dropped."""
    frames: Annotated[int, Field(ge=1)] | None = None
    duration: Annotated[float, Field(gt=0)] | None = None
    reconnect: Annotated[int, Field(ge=0)] | None = None
    """How often in a row to try to get a lost source back; None for ever."""
    rtsp_transport: RtspTransport = "tcp"
    connect_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = SourceOptions().connect_seconds
    """How long a network source may take until its first picture."""
    lost_after_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = SourceOptions().lost_after_seconds
    """How long a network source may give no picture before it counts as lost."""

    def source_options(self) -> SourceOptions:
        """What concerns the source."""
        return SourceOptions(self.reconnect, self.rtsp_transport, self.connect_seconds, self.lost_after_seconds)


class WebSettings(Checked):
    """How `mirilla serve` shows streams."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """The address to listen on; beyond this machine it takes a token."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8642
    """0 takes any that is free."""
    token: Annotated[str, Field(min_length=16, pattern=r"^[!-~]+$")] | None = None
    """What viewers have to show; made anew at every start where it is needed and not given."""
    max_viewers: Annotated[int, Field(ge=1)] = 64
    """Of all streams together."""
    max_cameras: Annotated[int, Field(ge=0)] = 4
    """Of visitors who bring one; each is a stream of its own. 0 lets nobody."""
    bitrate_kbps: Annotated[int, Field(ge=100, le=50_000)] = 2500
    """Of each stream's shared encoder."""
    tls: TlsOrNone = None
    """What makes the page a secure one, which browsers give cameras to."""
    ice_servers: IceServers = ()
    """What helps browsers that cannot reach this machine directly; none asks nobody outside."""
    interfaces: InterfaceRules = InterfaceRules()
    """Over which networks video may travel."""
    allow_sources: Allowed = None
    """What may be added as a stream by its address; None lets nobody add any."""


class Settings(Checked):
    """A whole configuration file: streams by name."""

    streams: Annotated[dict[str, StreamSettings], Field(min_length=1)]
    web: WebSettings = WebSettings()
    overwrite: bool = False


class ServeSettings(Settings):
    """The configuration of `mirilla serve`, some of whose pages need no stream."""

    streams: dict[str, StreamSettings] = Field(default_factory=dict)


def read_config(path: Path) -> Settings:
    """The settings of a configuration file.

    Raises:
        ConfigError: the file is missing, no YAML, or a key is unknown, missing or of the wrong type; names file, key,
            value and mend in one line.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"config: {path} cannot be read ({error.strerror}); give a file that exists") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"config: {path} is no UTF-8 text; save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"config: {path}{_place(error)}; mend the YAML there") from error
    if not isinstance(content, dict):
        raise ConfigError(f"config: {path} is no mapping of keys to values; begin with 'streams:'")
    return check_settings(content, str(path))


def check_settings(content: dict[str, Any], origin: str, kind: type[Settings] = Settings) -> Settings:
    """The settings that nested plain values amount to.

    Args:
        content: as YAML gives them.
        origin: where they come from, for messages: a path, or `command line`.
        kind: what they have to be.

    Raises:
        ConfigError: as `read_config`.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"config: {origin}: {_explained(error)}") from error


def _explained(error: ValidationError) -> str:
    # An unknown key is most often a missing one misspelt: say that first.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    parts = [str(part) for part in first["loc"]]
    key = ".".join(parts)
    if first["type"] == "extra_forbidden":
        known = _keys_beside(first["loc"])
        close = difflib.get_close_matches(parts[-1], known, n=1)
        return f"{key}: unknown key; " + (f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}")
    if first["type"] == "missing":
        return f"{key}: missing; add it"
    message = (
        _EXPECTED.get(first["type"])
        or _expected_length(first)
        or first["msg"].replace("Input should be", "expected").removeprefix("Value error, ")
    )
    return f"{key}: {message}, got {first['input']!r}"


def _expected_length(found: ErrorDetails) -> str | None:
    least = found.get("ctx", {}).get("min_length")
    if found["type"] != "too_short" or least is None:
        return None
    return "expected at least one entry" if least == 1 else f"expected at least {least} entries"


def _keys_beside(location: tuple[str | int, ...]) -> list[str]:
    """The keys that the settings know where an unknown one stands."""
    kind: Any = Settings
    for part in location[:-1]:
        # A part names a field of settings, or is a key or a position in a container of them.
        kind = kind.model_fields[str(part)].annotation if _is_settings(kind) else _settings_within(kind)
    return sorted(_settings_within(kind).model_fields)


def _is_settings(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _settings_within(kind: Any) -> Any:
    """The settings class in an annotation such as `dict[str, StreamSettings]`; None where there is none."""
    if _is_settings(kind):
        return kind
    found = (_settings_within(argument) for argument in get_args(kind))
    return next((settings for settings in found if settings is not None), None)


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "no YAML"
    return f", line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else f": {problem}"
