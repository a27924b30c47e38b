"""`python -m exporters CHECKPOINT OUTPUT`: one checkpoint folder to one verified package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from exporters.export import ExportOptions, export_package
from models.errors import MirillaError


def main(arguments: list[str] | None = None) -> None:
    """Export, saying each step; leave with 1 and one line where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m exporters")
    parser.add_argument("checkpoint", type=Path, help="folder with config.json, or in the course notes' layout")
    parser.add_argument("output", type=Path, help="folder for the package")
    parser.add_argument("--name", help="the package's name; by default the output folder's")
    parser.add_argument("--overwrite", action="store_true", help="replace a package that is there already")
    parsed = parser.parse_args(arguments)
    options = ExportOptions(name=parsed.name, overwrite=parsed.overwrite)
    try:
        export_package(parsed.checkpoint, parsed.output, options, lambda step: _say(f"{step} ..."))
    except MirillaError as error:
        sys.exit(f"error: {error}")
    _say(f"{parsed.output}: exported and compared with PyTorch")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
