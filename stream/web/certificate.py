"""`--tls auto`: a certificate that this machine makes for its own names and addresses (main thread, at the start).

Nobody has signed it, so browsers warn once; the fingerprint that is printed is what they show. What it is for is the
encryption, and that browsers give cameras only to secure pages.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stream.errors import ConfigError
from stream.web.machine import local_addresses, machine_names

LIFETIME = timedelta(days=397)
"""Apple's devices take none that lasts longer than 398 days."""

RENEWED_BEFORE = timedelta(days=30)

_SINCE = timedelta(days=1)
"""Clocks of telephones differ."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, in files.

    Attributes:
        cert_path, key_path: PEM.
        fingerprint: SHA-256, as browsers show it: `AB:CD:...`.
    """

    cert_path: Path
    key_path: Path
    fingerprint: str


def state_folder() -> Path:
    """Where the user's programs keep what is theirs (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state") / "mirilla"


def own_names(host: str) -> list[str]:
    """What browsers may call this machine: its names, then its addresses.

    Addresses of IPv6 change every day; of those there are the loopback one and the one that is listened on.

    Args:
        host: what is listened on.
    """
    addresses = {str(address.ip) for address in local_addresses() if address.ip.version == 4}
    return ["localhost", *machine_names(), *sorted(addresses | {"127.0.0.1", "::1"} | _written_address(host))]


def own_certificate(folder: Path, names: Sequence[str], now: datetime | None = None) -> Certificate:
    """The certificate in a folder; made anew where there is none, it runs out, or lacks one of the names.

    Args:
        folder: made where it is missing.
        names: of hosts, and IP addresses.
        now: the time, with its zone.

    Raises:
        ConfigError: the folder cannot be written.
    """
    now = now or datetime.now(UTC)
    cert_path, key_path = folder / "certificate.pem", folder / "key.pem"
    kept = _kept(cert_path, key_path)
    if kept is None or now > kept.not_valid_after_utc - RENEWED_BEFORE or not set(names) <= names_of(kept):
        key = ec.generate_private_key(ec.SECP256R1())
        kept = _signed(key, names, now)
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_private(key_path, private)
            _write_private(cert_path, kept.public_bytes(pem))
        except OSError as error:
            raise ConfigError(
                f"web.tls: the certificate cannot be kept in {folder} ({error.strerror}); set XDG_STATE_HOME to a "
                "folder that can be written, or give a certificate"
            ) from error
    return Certificate(cert_path, key_path, fingerprint_of(kept))


def names_of(certificate: x509.Certificate) -> set[str]:
    """Host names and addresses that a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*names.get_values_for_type(x509.DNSName), *map(str, addresses)}


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, as browsers show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _kept(cert_path: Path, key_path: Path) -> x509.Certificate | None:
    try:
        certificate = x509.load_pem_x509_certificate(cert_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        # Missing or damaged: it is ours to make anew.
        return None
    return certificate if key.public_key() == certificate.public_key() else None


def _signed(key: ec.EllipticCurvePrivateKey, names: Sequence[str], now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mirilla")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SINCE)
        .not_valid_after(now - _SINCE + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _written_address(host: str) -> set[str]:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return set()
    return set() if ip.is_unspecified else {str(ip)}


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_private(path: Path, content: bytes) -> None:
    """Replace a file at once by one that only the user may read."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    beside.replace(path)
