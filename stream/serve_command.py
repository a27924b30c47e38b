"""`mirilla serve`: parse, call, print; the server itself is `stream.web`, imported only here."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from stream.config import Settings, check_settings
from stream.config_file import ConfigFile
from stream.model_commands import fetch_zoo_models
from stream.options import RunOptions, path_of, settings_for
from stream.stream_options import Config, Hud, Models, Sources
from stream.terminal import Debug, Quiet, log_to_terminal, out
from stream.zoo_models import packages_of

_SHOWN_ONLY = "null"
"""The page is added to each stream's sinks; files are the business of `mirilla run`."""


def serve(
    config: Config = None,
    source: Sources = None,
    model: Models = None,
    host: Annotated[
        str | None, typer.Option(help="The address to listen on, such as 0.0.0.0; 127.0.0.1 is this machine alone.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 takes any that is free.")] = None,
    token: Annotated[
        str | None, typer.Option(envvar="MIRILLA_TOKEN", help="What viewers have to show, 16 characters or more.")
    ] = None,
    hud: Hud = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show streams in a web page, live, and give them to any WHEP player."""
    log_to_terminal(debug)
    options = RunOptions(sources=source or (), models=model or (), sinks=(_SHOWN_ONLY,), hud=hud)
    given: dict[str, Any] = {"host": host, "port": port, "token": token}

    def read() -> Settings:
        content = settings_for(config, options).model_dump(exclude_unset=True)
        content["web"] = {**content.get("web", {}), **{key: value for key, value in given.items() if value is not None}}
        return check_settings(content, "command line" if config is None else str(config))

    settings, path = read(), path_of(config, options)
    fetch_zoo_models(packages_of(settings), quiet)

    from stream.web.serve import serve_streams

    tell_user = partial(out.print, highlight=False, soft_wrap=True, markup=False)
    if not serve_streams(settings, tell_user, ConfigFile(path, read, tell_user) if path else None):
        raise typer.Exit(1)
