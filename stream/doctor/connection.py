"""Whether browsers can watch this machine, or another server: a connection is made, step by step."""

from __future__ import annotations

from pathlib import Path

from stream.config import Settings, check_settings, read_config
from stream.doctor.finding import Finding

CONFIG = Path("config.yaml")
_STREAM = {"source": "pattern:320x240@15x100000", "sinks": ["null"]}


def webrtc_findings(url: str | None, token: str | None, config: Path | None) -> list[Finding]:
    """Try to watch a running server, or one that runs in this process for as long.

    Args:
        url: of a running server's page; None runs one on this machine's loopback address, with a test picture.
        token: of the running server.
        config: whose `web` settings that one gets; None is `config.yaml`, where there is one.

    Raises:
        MirillaError: the configuration is wrong.
    """
    from stream.web.connection_check import Target, connection_findings
    from stream.web.serve import serving

    if url is not None:
        return connection_findings(Target(url, token))
    settings = _test_settings(config)
    with serving(settings) as now:
        address = f"http://127.0.0.1:{now.server.port}"
        return connection_findings(Target(address, interfaces=settings.web.interfaces))


def _test_settings(config: Path | None) -> Settings:
    chosen = config or (CONFIG if CONFIG.is_file() else None)
    web = read_config(chosen).web.model_dump(include={"ice_servers", "interfaces"}) if chosen is not None else {}
    return check_settings({"streams": {"test picture": _STREAM}, "web": {**web, "port": 0}}, str(chosen))
