"""A mailbox on loopback that knows so much of IMAP as reading reports takes."""

import email
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOGIN = b'LOGIN bounces "right"'
SEARCH = (
    b"UID SEARCH UNSEEN OR HEADER Content-Type delivery-status HEADER Content-Type feedback-report"
)


class Handler(socketserver.StreamRequestHandler):
    server: "Mailbox"

    def handle(self) -> None:
        self.wfile.write(b"* OK IMAP4rev1\r\n")
        while line := self.rfile.readline():
            tag, _, command = line.strip().partition(b" ")
            self.wfile.write(self._answer(command) + tag + b" " + self._verdict(command) + b"\r\n")

    def _verdict(self, command: bytes) -> bytes:
        is_refused = command.startswith(b"LOGIN") and command != LOGIN
        return b"NO [AUTHENTICATIONFAILED] wrong" if is_refused else b"OK done"

    def _answer(self, command: bytes) -> bytes:
        mails, seen = self.server.mails, self.server.seen
        if command == b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n"
        if command == b"LOGOUT":
            return b"* BYE\r\n"
        if command == SEARCH:
            found = [uid for uid in sorted(mails.keys() - seen) if _is_report(mails[uid])]
            return b"* SEARCH %b\r\n" % b" ".join(b"%d" % uid for uid in found)
        if fetch := re.fullmatch(rb"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command):
            mail = mails[int(fetch[1])][: int(fetch[2])]
            head = b"* 1 FETCH (UID %b BODY[]<0> {%d}\r\n" % (fetch[1], len(mail))
            return head + mail + b")\r\n"
        if store := re.fullmatch(rb"UID STORE (\d+) \+FLAGS\.SILENT \(\\Seen\)", command):
            seen.add(int(store[1]))
        return b""


def _is_report(mail: bytes) -> bool:
    kind = email.message_from_bytes(mail)["Content-Type"]
    return "delivery-status" in kind or "feedback-report" in kind


class Mailbox(socketserver.ThreadingTCPServer):
    """Mails by their UID, and which of them are read."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mails: dict[int, bytes] = {}
        self.seen: set[int] = set()

    @property
    def sender(self) -> dict[str, str]:
        """What an account's sender says of it."""
        port = str(self.server_address[1])
        return {"bounce_host": "127.0.0.1", "bounce_port": port, "bounce_security": "none"}


@contextmanager
def serving() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        thread = threading.Thread(target=mailbox.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield mailbox
        mailbox.shutdown()
        thread.join()
