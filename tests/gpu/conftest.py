"""What the tests of this folder need: a CUDA that works. See README.md."""

from __future__ import annotations

import os

import pytest

from models.cuda_libraries import cuda_obstacle


@pytest.fixture(scope="session", autouse=True)
def cuda() -> None:
    """Skip with the reason where CUDA cannot work; with `MIRILLA_REQUIRE_CUDA=1` fail with it."""
    obstacle = cuda_obstacle()
    if obstacle is None:
        return
    reason = f"no CUDA: {obstacle.what}; {obstacle.mend}"
    if os.environ.get("MIRILLA_REQUIRE_CUDA") == "1":
        pytest.fail(f"MIRILLA_REQUIRE_CUDA is 1, but there is {reason}")
    pytest.skip(reason)
