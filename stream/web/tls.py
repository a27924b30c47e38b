"""What the server encrypts the page with: a certificate of this machine's own, or one that was given (main thread)."""

from __future__ import annotations

import ssl

from cryptography import x509

from stream.errors import ConfigError
from stream.web.certificate import Certificate, fingerprint_of, own_certificate, own_names, state_folder
from stream.web_settings import Tls


def certificate_for(tls: Tls | None, host: str) -> Certificate | None:
    """The certificate that the settings ask for; None where the page is not encrypted.

    Args:
        tls: the settings.
        host: what is listened on.

    Raises:
        ConfigError: files are missing, no PEM, or do not belong together.
    """
    if tls is None:
        return None
    if tls.is_own:
        return own_certificate(state_folder() / "tls", own_names(host))
    return _given(tls)


def _given(files: Tls) -> Certificate:
    cert_path, key_path = files.cert, files.key or files.cert
    for key, path in (("cert", cert_path), ("key", key_path)):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigError(f"web.tls.{key}: {path} cannot be read ({error.strerror}); give a PEM file") from error
    try:
        certificate = x509.load_pem_x509_certificate(cert_path.read_bytes())
    except ValueError as error:
        raise ConfigError(f"web.tls.cert: {cert_path} holds no certificate in PEM; give one") from error
    try:
        # As uvicorn will; a password is answered with nothing, so that nobody is asked for one on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert_path, key_path, password="")
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"web.tls.key: {key_path} {_trouble(error)}") from error
    return Certificate(cert_path, key_path, fingerprint_of(certificate))


def _trouble(error: Exception) -> str:
    reason = getattr(error, "reason", None) or ""
    if reason == "KEY_VALUES_MISMATCH":
        return "is the key of another certificate; give the one that was made with web.tls.cert"
    return "holds no private key in PEM without a password; give one, or keep it in the file of web.tls.cert"
