"""A configuration file and what the command line says, made into one set of settings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.config import Settings, check_settings, read_config
from stream.errors import ConfigError
from stream.sinks.masks import PREFIX as MASKS_PREFIX
from stream.sources.address import is_address, stream_name

CONFIG_NAME = "config.yaml"
DEFAULT_MODEL = "quickdraw-32"
DEFAULT_SINK = "out/{name}.mp4"
NO_MODEL = "none"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `mirilla run` was given; an option that was not given leaves the configuration as it is.

    Attributes:
        sources, models, sinks: replace those of the configuration; the model `none` stands for no model at all.
        model: keys of `stream.config.ModelSettings`, put on every model.
        stream: keys of `stream.config.StreamSettings`, put on every stream.
        hud: whether the figures are drawn.
        overlay: keys of `stream.config.OverlaySettings`, put on every stream.
        overwrite: whether existing output may be replaced.
    """

    sources: Sequence[str] = ()
    models: Sequence[str] = ()
    sinks: Sequence[str] = ()
    model: Mapping[str, Any] | None = None
    stream: Mapping[str, Any] | None = None
    hud: bool | None = None
    overlay: Mapping[str, Any] | None = None
    overwrite: bool = False


def settings_for(config: Path | None, options: RunOptions) -> Settings:
    """The settings of a run.

    Without a configuration file and without a source, `config.yaml` in the current folder is taken; with a source
    alone, the default model and sink.

    Raises:
        ConfigError: there is nothing to run, or an option or a key of the file is wrong.
    """
    config = path_of(config, options)
    content = _plain(read_config(config)) if config else {"streams": {}}
    streams: dict[str, dict[str, Any]] = content["streams"]
    if options.sources:
        content["streams"] = streams = _with_sources(streams, options.sources, config)
    for name, stream in streams.items():
        _apply(stream, name, options)
    content["overwrite"] = options.overwrite or content.get("overwrite", False)
    settings = check_settings(content, "command line" if config is None else str(config))
    _check_paths(settings)
    return settings


def path_of(config: Path | None, options: RunOptions) -> Path | None:
    """The configuration file that a run reads; None where it reads none.

    Raises:
        ConfigError: there is nothing to run.
    """
    if config is None and not options.sources:
        config = Path(CONFIG_NAME)
        if not config.is_file():
            raise ConfigError(f"config: there is no {CONFIG_NAME} here; give a configuration file, or --source")
    return config


def _plain(settings: Settings) -> dict[str, Any]:
    return settings.model_dump(exclude_unset=True)


def _with_sources(
    streams: Mapping[str, dict[str, Any]], sources: Sequence[str], config: Path | None
) -> dict[str, dict[str, Any]]:
    if len(streams) > 1:
        raise ConfigError(f"source: {config} has {len(streams)} streams, so --source is ambiguous; edit the file")
    like = next(iter(streams.values()), {"models": [{"package": DEFAULT_MODEL}], "sinks": [DEFAULT_SINK]})
    names = [_stream_name(source) for source in sources]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        names = [
            _whole_name(source, number) if name in repeated else name
            for number, (name, source) in enumerate(zip(names, sources, strict=True), 1)
        ]
    return {name: {**like, "source": source} for name, source in zip(names, sources, strict=True)}


def _whole_name(source: str, number: int) -> str:
    """What tells a source from others of its name: two files by their folders, two addresses by their places here."""
    return f"{stream_name(source)}-{number}" if is_address(source) else source


def _stream_name(source: str) -> str:
    if webcam := re.match(r"\d+(?=[:@]|$)", source):
        return f"webcam-{webcam[0]}"
    if is_address(source):
        return stream_name(source)
    return Path(source.rstrip("/")).stem.split(":")[0] or source


def _apply(stream: dict[str, Any], name: str, options: RunOptions) -> None:
    if options.models:
        stream["models"] = [{"package": model} for model in options.models if model != NO_MODEL]
    if options.model:
        stream["models"] = [{**model, **options.model} for model in stream.get("models", ())]
    if options.hud is not None:
        stream["overlay"] = {**stream.get("overlay", {}), "hud": options.hud}
    if options.overlay:
        stream["overlay"] = {**stream.get("overlay", {}), **options.overlay}
    stream.update(options.stream or {})
    stream["sinks"] = [sink.replace("{name}", name) for sink in options.sinks or stream.get("sinks", ())]


def _check_paths(settings: Settings) -> None:
    """No file is written by two sinks, and none is both read and written."""
    sources = {Path(stream.source).resolve() for stream in settings.streams.values()}
    seen: set[Path] = set()
    for stream in settings.streams.values():
        for sink in stream.sinks:
            path = Path(sink.removeprefix(MASKS_PREFIX)).resolve()
            if path in sources and path.is_file():
                raise ConfigError(f"sink: {sink!r} is also a source; choose another name")
            if path in seen and sink not in ("null", "window", "web"):
                raise ConfigError(f"sink: {sink!r} is written twice; choose other names, such as 'out/{{name}}.mp4'")
            seen.add(path)
