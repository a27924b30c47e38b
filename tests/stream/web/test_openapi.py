"""The description of the server's addresses is true: schemathesis sends what it allows, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok

from tests.stream.web.conftest import Client, running

EXAMPLES = 12
"""Of each operation and kind."""

TOKEN = "0123456789abcdef"


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with running({"token": TOKEN}) as shared:
        yield shared


@pytest.fixture(scope="module")
def description(client: Client) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(
        f"{client.url}/openapi.json",
        headers={"Authorization": f"Bearer {TOKEN}"},
        config=SchemathesisConfig(seed=1),
    )


def test_every_answer_is_one_that_the_description_names(description: schemathesis.BaseSchema) -> None:
    for found in description.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()

        @seed(1)
        @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)

        ask()
