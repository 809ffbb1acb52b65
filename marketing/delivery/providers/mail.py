"""What a mail says outside its body, whoever carries it."""

import re
from email.headerregistry import Address
from functools import lru_cache
from urllib.parse import quote

import idna

from marketing.content.mail import Mail, MailLayout
from marketing.delivery.providers.base import Account, Envelope
from marketing.delivery.rules import Result, ResultClass

# What every mail system takes unquoted; nothing that could end a header or begin another.
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


def wire_address(address: str) -> str:
    """The address with its domain as DNS knows it. Raises ValueError: no mail can go there."""
    local, _, domain = address.rpartition("@")
    try:
        domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise ValueError(f"not a domain: {domain}") from error
    if not PLAIN_ADDRESS.fullmatch(f"{local}@{domain}"):
        raise ValueError(f"not an address: {address}")
    return f"{local}@{domain}"


def bad_address(error: ValueError) -> Result:
    """What `wire_address` refused: the person has no address that mail can go to."""
    return Result(ResultClass.FAIL_RECIPIENT, code="address", detail=str(error), suppress="invalid")


def mail_of(envelope: Envelope) -> Mail:
    """The mail in the envelope; a text that was written for one person has a layout of its own."""
    rendered = envelope.rendered
    if isinstance(rendered, Mail):
        return rendered
    texts = ((text,) if text else () for text in (rendered.subject, rendered.body, rendered.html))
    return Mail(MailLayout(rendered.language, *texts), ())


def from_header(account: Account) -> str:
    """The sender as the reader sees it; not encoded yet. Raises ValueError."""
    return _named(account.sender.get("from_name", ""), account.sender["from_email"])


@lru_cache(maxsize=256)
def _named(name: str, address: str) -> str:
    return str(Address(name, addr_spec=address))


def unsubscribe_headers(account: Account, envelope: Envelope) -> dict[str, str]:
    """One-click unsubscribing (RFC 8058) of offers; empty for other mail.

    The mailbox of the second way (RFC 2369) is the account's `unsubscribe_email`, else the
    sender's own; the subject holds the token that the public opt-out call takes.
    """
    if not envelope.is_promotional or not envelope.unsubscribe_url:
        return {}
    link = envelope.unsubscribe_url
    token = link.rstrip("/").rpartition("/")[2]
    mailbox = _in_link(account.sender.get("unsubscribe_email") or account.sender["from_email"])
    return {
        "List-Unsubscribe": f"<{link}>, <mailto:{mailbox}?subject={token}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@lru_cache(maxsize=256)
def _in_link(mailbox: str) -> str:
    return quote(mailbox, safe="@+")
