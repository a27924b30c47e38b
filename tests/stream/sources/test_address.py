"""What of an address reaches a person, a log, a file's name: never its credentials."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.sources.address import has_unescaped_credentials, host_of, redacted, shown, stream_name


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        # nothing to hide
        ("rtsp://cam.local/live", "rtsp://cam.local/live"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("rtsp://[::1]:8554/live", "rtsp://[::1]:8554/live"),
        ("clip.mp4", "clip.mp4"),
        # user and password
        ("rtsp://admin:secret@cam.local:554/live", "rtsp://***@cam.local:554/live"),
        ("rtsp://admin@cam.local/live", "rtsp://***@cam.local/live"),
        ("rtsp://admin:@cam.local/live", "rtsp://***@cam.local/live"),
        ("RTSP://admin:secret@cam.local/live", "RTSP://***@cam.local/live"),
        ("rtsp://admin:p%40ss@[fe80::1]/live", "rtsp://***@[fe80::1]/live"),
        # an @ that was not escaped
        ("rtsp://admin:p@ss@cam.local/live", "rtsp://***@cam.local/live"),
        # characters that end the host, unescaped: what libav makes of them is another host
        ("rtsp://admin:se/cret@cam.local/live", "rtsp://***@cam.local/live"),
        ("rtsp://admin:se?cret@cam.local/live", "rtsp://***@cam.local/live"),
        ("rtsp://admin:se#cret@cam.local/live", "rtsp://***@cam.local/live"),
        ("rtsp://admin:12/34@cam.local/live", "rtsp://***@cam.local/live"),
        # an @ of a path is none of a user
        ("https://host/@name/live.m3u8", "https://host/@name/live.m3u8"),
        # what cameras and CDNs take in a query
        ("http://cam/v.cgi?user=admin&pwd=secret", "http://cam/v.cgi?user=***&pwd=***"),
        ("http://cam/v.cgi?c2VjcmV0", "http://cam/v.cgi?***"),
        ("http://cam/v?token=a=b==#frag", "http://cam/v?token=***"),
        # and in a path
        (
            "rtsp://cam:554/user=admin_password=secret_channel=1_stream=0.sdp",
            "rtsp://cam:554/user=***_password=***_channel=1_stream=0.sdp",
        ),
        ("rtsp://cam/user=admin&password=secret&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
    ],
)
def test_an_address_is_shown_without_credentials(address: str, expected: str) -> None:
    assert shown(address) == expected
    assert shown(shown(address)) == shown(address)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no address: at all @ home", "no address: at all @ home"),
        ("source: 'rtsp://u:p@h/a' broke; mend it", "source: 'rtsp://***@h/a' broke; mend it"),
        ("(http://h/a?key=secret), then rtsp://u:p@h.", "(http://h/a?key=***), then rtsp://***@h."),
        # libav's own way to end a message
        ("[Errno 5] I/O error: 'http://u:p@h/a?b=c'\n", "[Errno 5] I/O error: 'http://***@h/a?b=***'\n"),
        ("{'source': 'rtsp://it's:me@h/a', 'x': 1}", "{'source': 'rtsp://***@h/a', 'x': 1}"),
    ],
)
def test_a_text_loses_the_credentials_of_every_address_in_it(text: str, expected: str) -> None:
    assert redacted(text) == expected


_NAMES = st.text(st.characters(codec="ascii", exclude_characters=' "<>@:', min_codepoint=33), min_size=1, max_size=8)


@given(user=_NAMES, word=_NAMES, path=_NAMES)
def test_no_password_of_any_kind_is_shown(user: str, word: str, path: str) -> None:
    # Marked, so that it cannot stand in the rest by chance.
    secret = f"SECRET{word}SECRET"
    assert "SECRET" not in shown(f"rtsp://{user}:{secret}@host/{path}")
    assert "SECRET" not in redacted(f"source: 'rtsp://{user}:{secret}@host/x' is lost")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("rtsp://admin:se/cret@host/live", True),
        ("rtsp://admin:s#cret@host/live", True),
        ("rtsp://admin:secret@host/live", False),
        ("http://host:8080/@name/live", False),
        ("http://[::1]:8080/@name/live", False),
        ("http://host/@name", False),
    ],
)
def test_credentials_that_have_to_be_escaped_are_noticed(address: str, expected: bool) -> None:
    assert has_unescaped_credentials(address) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("rtsp://cam.local", "cam.local"),
        ("rtsp://u:p@cam.local:554/x", "cam.local"),
        ("http://[fe80::1]:80/x", "fe80::1"),
        ("http://u@[fe80::1]/x", "fe80::1"),
        ("http://:80/x", ""),
        ("http://", ""),
        ("cam.local", ""),
    ],
)
def test_the_host_of_an_address(address: str, expected: str) -> None:
    assert host_of(address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        # a file by its name
        ("https://example.org/films/clip.mp4?sig=secret", "clip"),
        ("http://example.org/photo.JPG", "photo"),
        # a camera by its place
        ("rtsp://admin:secret@cam.local:8554/live?token=secret", "cam.local-8554-live"),
        ("rtsp://192.168.1.20/Streaming/Channels/101", "192.168.1.20-Streaming-Channels-101"),
        ("rtsp://cam/user=admin_password=secret_channel=1", "cam-user-_password-_channel-1"),
        ("http://cam.local/", "cam.local"),
        ("rtsp://[::1]/a", "1-a"),
        # nothing that a name could be made of
        ("http://", "stream"),
    ],
)
def test_a_stream_is_called_by_what_is_no_secret(address: str, expected: str) -> None:
    assert stream_name(address) == expected
