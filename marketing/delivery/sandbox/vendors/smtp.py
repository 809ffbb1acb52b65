"""A mail relay: SMTP with AUTH, its replies by the address's last digits."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any, cast
from weakref import WeakKeyDictionary

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from marketing.delivery.sandbox import mime
from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.admission import WITHHELD_SECONDS, Refused, treat
from marketing.delivery.sandbox.faults import UNTOUCHED, Answer, Fault, Treatment
from marketing.delivery.sandbox.ledger import Acceptance
from marketing.delivery.sandbox.outcomes import Cause, State, cause_for, only, steps_for
from marketing.delivery.sandbox.references import uuid_in
from marketing.delivery.sandbox.state import Sandbox

LARGEST_MAIL = 30 * 2**20
REPLIES = {
    Cause.UNDELIVERABLE: "550 5.1.1 No such user",
    Cause.ENGAGEMENT_LIMIT: "451 4.7.1 Greylisted, try again later",
    Cause.STOPPED: "554 5.7.1 Message refused",
}


async def listen(sandbox: Sandbox) -> asyncio.Server:
    """Serve on the port set, else the one it had before, else a free one."""
    kept = sandbox.settings.data_dir / "smtp-port"
    wanted = sandbox.settings.smtp_port or (int(kept.read_text()) if kept.exists() else 0)
    try:
        server = await _serve(sandbox, wanted)
    except OSError:
        if sandbox.settings.smtp_port:
            raise
        server = await _serve(sandbox, 0)
    sandbox.smtp_port = server.sockets[0].getsockname()[1]
    kept.write_text(str(sandbox.smtp_port))
    return server


async def _serve(sandbox: Sandbox, port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    relay = Relay(sandbox)

    def connection() -> SMTP:
        return SMTP(
            relay,
            hostname="sandbox.invalid",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            authenticator=relay.authenticate,
            auth_required=True,
            # It listens on loopback; a real relay asks for TLS first.
            auth_require_tls=False,
            loop=loop,
        )

    return await loop.create_server(connection, sandbox.host, port)


def public(sandbox: Sandbox) -> dict[str, Any]:
    return {"smtp_host": sandbox.host, "smtp_port": sandbox.smtp_port}


@dataclass(frozen=True)
class Relay:
    """The server's handler: each recipient of a mail is a message."""

    sandbox: Sandbox
    treatments: WeakKeyDictionary[Envelope, Treatment] = field(default_factory=WeakKeyDictionary)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        if isinstance(given, LoginPassword):
            name, password = given.login.decode(), given.password.decode()
            account = self.sandbox.accounts.identified("smtp", name)
            if account is not None and account.accepts("password", password):
                return AuthResult(success=True, auth_data=account.name)
        return AuthResult(success=False, handled=False)

    def _account(self, session: Session) -> Account:
        account = self.sandbox.accounts.named(str(session.auth_data))
        assert account is not None
        return account

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if reply := REPLIES.get(cause_for(address)):
            return reply
        try:
            treatment = await treat(self.sandbox, self._account(session), address)
        except Refused as refused:
            if refused.hangs_up:
                _hang_up(server)
            limited = refused.status == 429
            return "450 4.2.1 Too many messages" if limited else "451 4.3.0 Local error"
        envelope.rcpt_tos.append(address)
        # One reply answers for all recipients of a mail: the first one's treatment is its own.
        self.treatments.setdefault(envelope, treatment)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        sandbox, account = self.sandbox, self._account(session)
        treatment = self.treatments.get(envelope, UNTOUCHED)
        try:
            message = mime.read_mail(envelope.original_content or b"")
            mail = json.dumps(mime.described(message))
        except (ValueError, LookupError):
            return "554 5.6.0 The message cannot be read"
        queue_id = uuid.uuid4().hex[:12].upper()
        own = str(message.get("Message-ID", ""))
        accepted = sandbox.ledger.accept(
            account,
            [
                Acceptance(
                    queue_id,
                    recipient,
                    only(steps_for(account, recipient), State.SENT, State.DELIVERED, State.FAILED),
                    uuid_in(own) or own,
                    reported=(),
                )
                for recipient in envelope.rcpt_tos
            ],
            treatment,
            mail=mail,
        )
        await sandbox.database.committed()
        if Fault.DROP_AFTER_ACCEPT in treatment.struck:
            _hang_up(server)
        elif treatment.no_answer:
            await asyncio.sleep(WITHHELD_SECONDS)
        for fault in (Fault.ANSWER_LATE, Fault.SLOW_ANSWER):
            if late := treatment.struck.get(fault):
                await asyncio.sleep(late.delay_ms / 1000)
        if treatment.answer is Answer.PENDING:
            sandbox.ledger.answered(accepted)
        return f"250 2.0.0 Ok: queued as {queue_id}"


def _hang_up(server: SMTP) -> None:
    """Close the connection without a word."""
    # uvloop's transport is one by shape, not by class.
    transport = cast(asyncio.Transport | None, server.transport)
    if transport is not None:
        transport.abort()
