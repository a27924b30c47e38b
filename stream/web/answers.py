"""What the description of the server's addresses says of refusals, which all look alike (at the start)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


class Refusal(BaseModel):
    """Why a request was refused."""

    detail: str


def answers(reasons: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Refusals by their status, as FastAPI takes them."""
    return {status: {"model": Refusal, "description": reason} for status, reason in reasons.items()}


ANYWHERE = answers(
    {
        400: "The request is none.",
        403: "Asked by a page of another origin, or for another host.",
        408: "The body took too long.",
        413: "The body is too large.",
        429: "Too many requests; Retry-After says when to come back.",
    }
)
"""What every address may answer."""

BEHIND_TOKEN = answers({401: "No token."})
"""What every address may answer that is not open to all."""
