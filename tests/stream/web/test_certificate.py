from __future__ import annotations

import hashlib
import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from stream.errors import ConfigError
from stream.web.certificate import LIFETIME, Certificate, own_certificate, own_names
from stream.web.tls import certificate_for
from stream.web_settings import Tls

NAMES = ["localhost", "box.local", "127.0.0.1", "192.0.2.7", "::1"]
NOW = datetime.now(UTC)


def shaken_hands(certificate: Certificate, name: str, trusted: Path) -> str:
    """Let OpenSSL's client, which trusts one certificate alone, judge a server; returns the fingerprint that it saw."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate.cert_path, certificate.key_path)
    client = ssl.create_default_context(cafile=str(trusted))
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(ours, server_side=True).close()
        except (ssl.SSLError, OSError):
            ours.close()

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        with client.wrap_socket(theirs, server_hostname=name) as line:
            return hashlib.sha256(line.getpeercert(binary_form=True) or b"").hexdigest().upper()
    finally:
        theirs.close()
        serving.join(5)


@pytest.mark.parametrize("name", NAMES)
def test_a_browser_that_trusts_the_certificate_reaches_the_machine_by_all_its_names(name: str, tmp_path: Path) -> None:
    certificate = own_certificate(tmp_path / "tls", NAMES)
    seen = shaken_hands(certificate, name, certificate.cert_path)
    assert seen == certificate.fingerprint.replace(":", "")
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken_hands(certificate, "elsewhere.example", certificate.cert_path)


def test_only_the_user_may_read_the_key(tmp_path: Path) -> None:
    certificate = own_certificate(tmp_path / "tls", NAMES)
    assert stat.S_IMODE(certificate.key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(certificate.key_path.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in certificate.key_path.parent.iterdir()) == ["certificate.pem", "key.pem"]


@pytest.mark.parametrize(
    ("names", "after", "is_kept"),
    [
        (NAMES, timedelta(), True),
        (NAMES, LIFETIME - timedelta(days=40), True),
        # Fewer names, as in another network: what is there is good for them, too.
        (NAMES[:2], timedelta(), True),
        # One more name: another address, or the machine was renamed.
        ([*NAMES, "192.0.2.8"], timedelta(), False),
        # A month before it runs out, and afterwards.
        (NAMES, LIFETIME - timedelta(days=20), False),
        (NAMES, 2 * LIFETIME, False),
    ],
)
def test_a_certificate_is_kept_while_it_is_good(
    names: list[str], after: timedelta, is_kept: bool, tmp_path: Path
) -> None:
    first = own_certificate(tmp_path, NAMES, NOW)
    again = own_certificate(tmp_path, names, NOW + after)
    assert (again.fingerprint == first.fingerprint) is is_kept
    assert own_certificate(tmp_path, names, NOW + after).fingerprint == again.fingerprint


@pytest.mark.parametrize("name", ["certificate.pem", "key.pem"])
def test_what_is_damaged_or_missing_is_made_anew(name: str, tmp_path: Path) -> None:
    first = own_certificate(tmp_path, NAMES)
    (tmp_path / name).write_text("-----BEGIN NOTHING-----\n", encoding="ascii")
    second = own_certificate(tmp_path, NAMES)
    (tmp_path / name).unlink()
    third = own_certificate(tmp_path, NAMES)
    assert len({first.fingerprint, second.fingerprint, third.fingerprint}) == 3
    assert shaken_hands(third, "localhost", third.cert_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(ConfigError, match=r"web\.tls: .*file.*XDG_STATE_HOME"):
        own_certificate(tmp_path / "file" / "tls", NAMES)


def test_the_own_certificate_lies_in_the_users_state_folder_and_knows_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    certificate = certificate_for(Tls(cert=Path("auto")), "192.0.2.99")
    assert certificate is not None
    assert certificate.cert_path == tmp_path / "mirilla" / "tls" / "certificate.pem"
    # What is listened on need not be an address that is there already.
    for name in ("localhost", "127.0.0.1", "192.0.2.99", f"{socket.gethostname().lower().partition('.')[0]}.local"):
        assert name in own_names("192.0.2.99")
        shaken_hands(certificate, name, certificate.cert_path)
    assert certificate_for(None, "127.0.0.1") is None


def test_a_given_certificate_is_taken_with_its_key_beside_it_or_in_the_same_file(tmp_path: Path) -> None:
    made = own_certificate(tmp_path / "made", NAMES)
    given = certificate_for(Tls(cert=made.cert_path, key=made.key_path), "127.0.0.1")
    assert given == made
    both = tmp_path / "both.pem"
    both.write_bytes(made.cert_path.read_bytes() + made.key_path.read_bytes())
    given = certificate_for(Tls(cert=both), "127.0.0.1")
    assert given is not None
    shaken_hands(given, "box.local", made.cert_path)


def bad_files(folder: Path) -> dict[str, Tls]:
    made, other = own_certificate(folder / "a", NAMES), own_certificate(folder / "b", NAMES)
    text = folder / "text.pem"
    text.write_text("nothing of the kind", encoding="ascii")
    locked = folder / "locked.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return {
        "no certificate there": Tls(cert=folder / "missing.pem", key=made.key_path),
        "no key there": Tls(cert=made.cert_path, key=folder / "missing.pem"),
        "no certificate in it": Tls(cert=text, key=made.key_path),
        "a key for a certificate": Tls(cert=made.key_path, key=made.key_path),
        "no key in it": Tls(cert=made.cert_path, key=text),
        "no key in the certificate's file": Tls(cert=made.cert_path),
        "another's key": Tls(cert=made.cert_path, key=other.key_path),
        "a key with a password": Tls(cert=made.cert_path, key=locked),
    }


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("no certificate there", ("web.tls.cert", "missing.pem", "No such file")),
        ("no key there", ("web.tls.key", "missing.pem", "No such file")),
        ("no certificate in it", ("web.tls.cert", "text.pem", "no certificate")),
        ("a key for a certificate", ("web.tls.cert", "key.pem", "no certificate")),
        ("no key in it", ("web.tls.key", "text.pem", "no private key")),
        ("no key in the certificate's file", ("web.tls.key", "certificate.pem", "no private key")),
        ("another's key", ("web.tls.key", "key.pem", "another certificate")),
        ("a key with a password", ("web.tls.key", "locked.pem", "without a password")),
    ],
)
def test_files_that_are_no_use_are_said_in_a_line(case: str, words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        certificate_for(bad_files(tmp_path)[case], "127.0.0.1")
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message
