"""The packages whose masks are known, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.segmenting.stand_in import write_stand_in


@pytest.fixture(scope="session")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stand_in(tmp_path_factory.mktemp("packages") / "discs")
