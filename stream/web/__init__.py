"""The web page: HTTP and WebRTC, on a thread of its own; the only place with asyncio."""
