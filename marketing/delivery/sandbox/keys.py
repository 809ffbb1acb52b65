"""The keys by which the sandbox signs its callbacks, made once and kept."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

YEARS_VALID = 10


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Keys:
    """``mail_events`` signs SendGrid's; ``notifications`` Amazon's, with a certificate (PEM)."""

    mail_events: ec.EllipticCurvePrivateKey
    notifications: rsa.RSAPrivateKey
    certificate: bytes

    def __init__(self, directory: Path) -> None:
        event_key = _kept(directory / "sendgrid-key.pem", _make_event_key)
        assert isinstance(event_key, ec.EllipticCurvePrivateKey)
        self.mail_events = event_key
        notification_key = _kept(directory / "sns-key.pem", _make_notification_key)
        assert isinstance(notification_key, rsa.RSAPrivateKey)
        self.notifications = notification_key
        certificate = directory / "sns-certificate.pem"
        if not certificate.exists():
            draft = certificate.with_suffix(".draft")
            draft.write_bytes(_certificate(notification_key))
            draft.replace(certificate)
        self.certificate = certificate.read_bytes()


def _make_event_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _make_notification_key() -> Key:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _kept(path: Path, make: Callable[[], Key]) -> Key:
    if path.exists():
        key = load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, Key)
        return key
    made = make()
    # Whole or not at all: a kill in between must not leave half a key.
    draft = path.with_suffix(".draft")
    draft.touch(0o600)
    draft.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    draft.replace(path)
    return made


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox.invalid")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * YEARS_VALID))
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)
