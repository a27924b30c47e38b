"""The doctor as a user calls it."""

from __future__ import annotations

import json

from tests.end_to_end.conftest import Mirilla


def test_it_prints_json_for_programs_and_exits_0_where_all_that_is_needed_works(mirilla: Mirilla) -> None:
    result = mirilla("doctor", "--json")
    assert result.returncode == 0, result.stderr
    content = json.loads(result.stdout)
    assert content["ok"] is True
    assert {finding["section"] for finding in content["findings"]} == {"software", "video", "models", "devices"}
    assert set(content["findings"][0]) == {"section", "name", "state", "says", "mend", "is_needed"}


def test_it_prints_a_table_for_people(mirilla: Mirilla) -> None:
    result = mirilla("doctor")
    assert result.returncode == 0, result.stderr
    assert "H.264 encoder" in result.stdout
    assert result.stdout.strip().endswith("All that Mirilla needs works.")
