"""SMTP: encryption and logging in."""

import asyncio
import ipaddress
import ssl

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from marketing.delivery.providers.smtp import client
from marketing.delivery.rules import ResultClass
from tests.delivery.providers.certificates import self_signed
from tests.delivery.providers.mailbox import deliver, envelope


@pytest.fixture
def certificate(tmp_path):
    """The files of a certificate of 127.0.0.1 and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    (tmp_path / "certificate.pem").write_bytes(self_signed(key, "mail", names))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return tmp_path / "certificate.pem", tmp_path / "key.pem"


@pytest.mark.parametrize("is_trusted", [True, False])
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encryption(serve, certificate, monkeypatch, security, is_trusted):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    name = {"starttls": "tls_context", "tls": "ssl_context"}[security]
    mailbox, account = serve(sender={"security": security}, **{name: context})
    (result,) = deliver(account, envelope())
    expected = ResultClass.ACCEPTED if is_trusted else ResultClass.RETRY
    assert (result.outcome, len(mailbox.mails)) == (expected, is_trusted)


def test_a_sender_that_cannot_be_written_is_the_accounts_fault(serve):
    mailbox, account = serve(sender={"from_email": "hallo@münchen.de"})
    (result,) = deliver(account, envelope())
    assert result.outcome is ResultClass.FAIL_ACCOUNT
    assert not mailbox.mails


def authenticate(server, session, envelope, mechanism, data):
    is_right = isinstance(data, LoginPassword) and data.password == b"right"
    return AuthResult(success=is_right, handled=False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(
    ("password", "expected"),
    [("right", ResultClass.ACCEPTED), ("wrong", ResultClass.FAIL_ACCOUNT)],
)
def test_the_login(serve, password, expected):
    mailbox, account = serve(
        credentials={"username": "parlour", "password": password},
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    (result,) = deliver(account, envelope())
    assert result.outcome is expected
    assert len(mailbox.mails) == (expected is ResultClass.ACCEPTED)
    problem = asyncio.run(client.probe(account))
    assert bool(problem) == (expected is not ResultClass.ACCEPTED)
    assert "wrong" not in problem


@pytest.mark.parametrize("credentials", [{}, {"username": "parlour", "password": "right"}])
def test_nothing_is_sent_in_clear_where_encryption_is_asked_for(serve, credentials):
    mailbox, account = serve(sender={"security": "starttls"}, credentials=credentials)
    (result,) = deliver(account, envelope())
    assert result.outcome is ResultClass.FAIL_ACCOUNT
    assert not mailbox.mails


def test_a_login_that_the_server_does_not_know_is_the_accounts_fault(serve):
    mailbox, account = serve(credentials={"username": "parlour", "password": "right"})
    (result,) = deliver(account, envelope())
    assert result.outcome is ResultClass.FAIL_ACCOUNT
    assert not mailbox.mails
