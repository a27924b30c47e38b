from __future__ import annotations

import pytest

from stream.web.access import COOKIE, Access, is_loopback

TOKEN = "correct horse battery".replace(" ", "-")


@pytest.mark.parametrize(
    ("authorization", "cookies", "admitted"),
    [
        ("", "", False),
        (f"Bearer {TOKEN}", "", True),
        # The scheme's name has no case (RFC 9110, 11.1); the token has.
        (f"bearer {TOKEN}", "", True),
        (f"Bearer {TOKEN.upper()}", "", False),
        (f"Bearer {TOKEN}x", "", False),
        ("Bearer", "", False),
        (f"Basic {TOKEN}", "", False),
        # Letters outside ASCII are no way to break the comparison.
        ("Bearer \xe9\xe9", "", False),
        ("", f"{COOKIE}=wrong", False),
        ("", f"{COOKIE}={TOKEN}", False),
        ("", "\x00;;;=", False),
    ],
)
def test_only_the_token_opens(authorization: str, cookies: str, admitted: bool) -> None:
    assert Access(TOKEN).admits(authorization, cookies) is admitted


def test_the_cookie_opens_also_after_a_restart_and_not_under_another_token() -> None:
    cookie = f"theme=dark; {COOKIE}={Access(TOKEN).cookie_value}"
    assert Access(TOKEN).admits("", cookie)
    assert not Access(f"{TOKEN}2").admits("", cookie)


def test_a_link_works_once() -> None:
    access = Access(TOKEN)
    code = access.link_code
    assert code is not None
    assert not access.takes_code(f"{code}x")
    assert access.takes_code(code)
    assert not access.takes_code(code)
    assert access.link_code is None


def test_without_a_token_everybody_may_pass_and_there_is_no_link() -> None:
    access = Access(None)
    assert access.admits("", "")
    assert access.link_code is None
    assert not access.takes_token("")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        # A name may point anywhere, whatever it looks like.
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_what_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
