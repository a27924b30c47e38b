"""`mirilla serve`: parse, call, print; the server itself is `stream.web`, imported only here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stream.config import ServeSettings, Settings, check_settings
from stream.config_file import ConfigFile
from stream.errors import ConfigError
from stream.model_commands import fetch_zoo_models
from stream.options import CONFIG_NAME, RunOptions, path_of, settings_for
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
    tls: Annotated[
        str | None, typer.Option(help="'auto' makes a certificate for this machine; or a certificate's PEM file.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="The certificate's key, where its own file does not hold it.")
    ] = None,
    hud: Hud = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show streams in a web page, live, and give them to any WHEP player; guess at what is drawn on the page /draw."""
    log_to_terminal(debug)
    options = RunOptions(sources=source or (), models=model or (), sinks=(_SHOWN_ONLY,), hud=hud)
    given: dict[str, Any] = {"host": host, "port": port, "token": token, "tls": _tls(tls, tls_key)}
    has_streams = config is not None or bool(options.sources) or Path(CONFIG_NAME).is_file()

    def read() -> Settings:
        content = settings_for(config, options).model_dump(exclude_unset=True) if has_streams else {}
        content["web"] = {**content.get("web", {}), **{key: value for key, value in given.items() if value is not None}}
        return check_settings(content, "command line" if config is None else str(config), ServeSettings)

    settings, path = read(), path_of(config, options) if has_streams else None
    fetch_zoo_models(packages_of(settings), quiet)

    from stream.web.serve import serve_streams

    def say(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True, markup=False, emoji=False)

    watched = ConfigFile(path, read, say) if path else None
    if not serve_streams(settings, say, watched, with_code=out.is_terminal):
        raise typer.Exit(1)


def _tls(cert: str | None, key: Path | None) -> Any:
    """`web.tls` as a configuration has it.

    Raises:
        ConfigError: there is a key without a certificate.
    """
    if key is None:
        return cert
    if cert is None or cert == "auto":
        raise ConfigError("tls-key: a key alone encrypts nothing; give its certificate with --tls")
    return {"cert": cert, "key": str(key)}
