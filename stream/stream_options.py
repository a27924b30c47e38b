"""The options that say which streams there are and how they look, alike for `mirilla run` and `mirilla serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path | None, typer.Argument(help="A configuration file; config.yaml where no source is given.")]
Sources = Annotated[
    list[str] | None,
    typer.Option(help="A video, image, folder, webcam (0), rtsp://, http://, 'doodles', 'pattern', 'whip'."),
]
Models = Annotated[
    list[str] | None, typer.Option(help="A bundled or zoo name, a package folder, an .onnx file, or 'none'.")
]
Hud = Annotated[bool | None, typer.Option("--hud/--no-hud", help="Draw the run's figures on the picture.")]
