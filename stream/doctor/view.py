"""Tries everything and prints it: a table for people, with the mends below it, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from stream.doctor.devices import device_findings
from stream.doctor.engines import model_findings, video_findings
from stream.doctor.finding import Finding
from stream.doctor.software import software_findings

_COLOURS = {"works": "green", "absent": "yellow", "broken": "red"}


def findings() -> Iterator[Finding]:
    """Everything, section by section."""
    yield from software_findings()
    yield from video_findings()
    yield from model_findings()
    yield from device_findings()


def run_doctor(out: Console, *, as_json: bool, found: Iterable[Finding] | None = None) -> bool:
    """Try everything and print it; whether all that Mirilla needs works.

    Args:
        out: standard output.
        as_json: print `{"ok": bool, "findings": [...]}` in the place of the table.
        found: in the place of `findings`.
    """
    all_found = list(findings() if found is None else found)
    is_well = not any(finding.is_obstacle for finding in all_found)
    if as_json:
        content = {"ok": is_well, "findings": [asdict(finding) for finding in all_found]}
        out.print_json(json.dumps(content, ensure_ascii=False))
        return is_well
    out.print(findings_table(all_found))
    for finding in all_found:
        if finding.mend is not None:
            out.print(f"{finding.name}: {finding.says}: {finding.mend}", markup=False, highlight=False, soft_wrap=True)
    out.print("\nAll that Mirilla needs works." if is_well else "\nMirilla cannot be used before this is mended.")
    return is_well


def findings_table(all_found: Iterable[Finding]) -> Table:
    """A row a finding, under its section."""
    table = Table(Column("", no_wrap=True), Column("", no_wrap=True), "", box=box.SIMPLE, show_header=False)
    section = None
    for finding in all_found:
        if finding.section != section:
            if section is not None:
                table.add_section()
            section = finding.section
        table.add_row(Text(finding.name), Text(finding.state, _COLOURS[finding.state]), Text(finding.says))
    return table
