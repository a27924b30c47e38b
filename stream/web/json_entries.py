"""What clients send as JSON: text that can be sent back, and what is said of anything else (loop's thread)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator

_TOLD = ("loc", "msg", "type")


def _encodable(text: str) -> str:
    # JSON can write half of a character ("\ud800"), which no answer could hold.
    text.encode()
    return text


Text = Annotated[str, AfterValidator(_encodable)]
"""Text without halves of characters."""


async def say_what_is_wrong(_request: Request, error: Exception) -> JSONResponse:
    """422, without what was sent: it may be a secret, or nothing that an answer can hold."""
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": [{key: found[key] for key in _TOLD} for found in error.errors()]}, 422)
