"""The addresses at which streams are added and taken away (loop's thread)."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field

from stream.web.added_streams import AddedStreams, CannotAddError
from stream.web.answers import BEHIND_TOKEN, answers
from stream.web.hub import Hub
from stream.web.json_entries import Text
from stream.web.served_stream import StreamDescription
from stream.web.source_rules import LONGEST_ADDRESS, RefusedError


class NewStream(BaseModel):
    """A stream to add."""

    name: Annotated[Text, Field(min_length=1, max_length=60)]
    source: Annotated[Text, Field(min_length=1, max_length=LONGEST_ADDRESS)]
    """An address: `rtsp://`, `http://` and others, as the configuration allows."""


def add_stream_routes(app: FastAPI, added: AddedStreams | None, hub: Hub) -> None:
    """Let an application answer at these addresses.

    Args:
        app: the application.
        added: adds streams; None where nobody may.
        hub: those who watch a stream that is taken away are let go.
    """
    refusals = {403: "Nobody may add streams here.", 404: "No added stream of this name."}

    @app.post(
        "/api/streams",
        status_code=201,
        responses={
            **BEHIND_TOKEN,
            **answers(
                {
                    400: "The address may not be reached, or gives no picture.",
                    403: refusals[403],
                    409: "The name is taken, or as many as may be were added.",
                }
            ),
        },
    )
    async def add(entry: NewStream, response: Response) -> StreamDescription:
        """Add a stream by its address."""
        if added is None:
            raise HTTPException(403, "nobody may add streams here; web.allow_sources in the configuration allows it")
        try:
            stream = await added.add(entry.name, entry.source)
        except RefusedError as error:
            raise HTTPException(400, str(error)) from error
        except CannotAddError as error:
            raise HTTPException(error.status, str(error)) from error
        response.headers["Location"] = f"/api/streams/{stream.name}"
        return stream.description()

    @app.delete("/api/streams/{stream}", status_code=204, responses={**BEHIND_TOKEN, **answers(refusals)})
    async def take_away(stream: str) -> None:
        """Take an added stream away; those of the configuration stay."""
        if added is None or stream not in added:
            raise HTTPException(404, "no stream of this name was added")
        await hub.end_stream(stream)
        await added.remove(stream)
