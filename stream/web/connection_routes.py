"""The addresses that help others to come in and to connect: invitations, STUN and TURN servers (loop's thread)."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel

from stream.web.answers import BEHIND_TOKEN, answers
from stream.web.ice import IceServerEntry, IceServers
from stream.web.invitation import Invitation, Invitations


class ConnectionSettings(BaseModel):
    """What a page has to know before it connects."""

    iceServers: list[IceServerEntry]  # noqa: N815 - WebRTC's own name (4.2.1, RTCConfiguration)
    invitations: bool
    """Whether others may be invited."""
    additions: bool
    """Whether streams may be added."""


def add_connection_routes(
    app: FastAPI, servers: IceServers, invitations: Invitations, *, allows_additions: bool
) -> None:
    """Let an application answer at these addresses.

    Args:
        app: the application.
        servers: STUN and TURN servers.
        invitations: makes links and QR codes.
        allows_additions: whether streams may be added.
    """

    @app.get("/api/connection", responses=BEHIND_TOKEN)
    async def connection_settings() -> ConnectionSettings:
        """Which servers help to connect, with credentials that are good from now on."""
        return ConnectionSettings(
            iceServers=servers.entries(), invitations=invitations.is_possible, additions=allows_additions
        )

    @app.post("/api/invitation", responses={**BEHIND_TOKEN, **answers({409: "Nobody else reaches this server."})})
    async def invite() -> Invitation:
        """A link that works once, and its QR code."""
        if not invitations.is_possible:
            raise HTTPException(409, "this server listens to this machine alone; start it with --host 0.0.0.0")
        return invitations.new()

    @app.options("/whep/{stream}", status_code=204, response_class=Response, include_in_schema=False)
    async def help_players(stream: str, response: Response) -> None:  # noqa: ARG001 - the path's part
        """Tell a player of the servers before it makes its offer."""
        response.headers["Accept-Post"] = "application/sdp"
        for link in servers.links():
            response.headers.append("Link", link)
