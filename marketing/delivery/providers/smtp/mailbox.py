"""The mailbox that bounces and complaints come to, read by IMAP.

Only reports are touched: what people write there stays unread.
"""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from marketing.delivery.providers.base import Account

PORT = 993
TIMEOUT_SECONDS = 5.0
MOST_AT_ONCE = 500
# What became of which mail stands at a report's beginning; the rest may be as long as the mail was.
MOST_BYTES = 2**18
REPORTS = (
    *("UNSEEN", "OR"),
    *("HEADER", "Content-Type", "delivery-status"),
    *("HEADER", "Content-Type", "feedback-report"),
)
# ValueError: a name or password that cannot be written in ASCII, a host that is no name.
Unreachable = (OSError, ValueError, imaplib.IMAP4.error)


def is_set(account: Account) -> bool:
    """Whether the account names a mailbox."""
    return bool(account.sender.get("bounce_host"))


def reports(account: Account) -> Iterator[bytes]:
    """Unread reports as mails, each marked as read when the next one is asked for.

    Raises `Unreachable`.
    """
    with _opened(account) as mailbox:
        _, found = mailbox.uid("SEARCH", *REPORTS)
        for uid in (found[0] or b"").decode().split()[:MOST_AT_ONCE]:
            _, parts = mailbox.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST_BYTES}>)")
            yield from (part[1] for part in parts if isinstance(part, tuple))
            mailbox.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")


def check(account: Account) -> str:
    """Log in and out again; what is wrong, empty if nothing."""
    try:
        with _opened(account):
            return ""
    except Unreachable as error:
        return explain(account, error)


def explain(account: Account, error: Exception) -> str:
    """What went wrong, in the server's words where it said any."""
    said = error.args[0] if error.args else b""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(error)
    return f"{account.sender['bounce_host']}: {text or type(error).__name__}"


@contextmanager
def _opened(account: Account) -> Iterator[imaplib.IMAP4]:
    host, port = account.sender["bounce_host"], int(account.sender.get("bounce_port") or PORT)
    mailbox: imaplib.IMAP4
    if account.sender.get("bounce_security") == "none":
        mailbox = imaplib.IMAP4(host, port, TIMEOUT_SECONDS)
    else:
        context = ssl.create_default_context()
        mailbox = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT_SECONDS)
    with mailbox:
        secrets = account.credentials
        mailbox.login(secrets.get("bounce_username", ""), secrets.get("bounce_password", ""))
        answer, said = mailbox.select("INBOX")
        if answer != "OK":
            raise imaplib.IMAP4.error(said[0])
        yield mailbox
