"""The plain values that vendors' folders work on.

A folder's `client` says in `MAX_BATCH` how many messages one call takes, in `CHARGED_ON` with
which state the vendor charges ("sent" or "delivered"), in `IS_IDEMPOTENT` (False when not said)
whether the vendor answers a repeated message without sending it again, so that a request without
an answer may be repeated, and either

    build(account, envelopes) -> Request
    interpret(envelopes, answer) -> list[Result]      as many, in the same order

or, where the vendor is not asked over plain HTTP,

    async deliver(account, envelopes) -> list[Result]

which ends of itself within ten seconds; then it has `async probe(account) -> str` in the place of
`check`, and may have `async close()`, to be awaited at the end of an event loop that delivered.

Where messages may not share a call as they come, `calls(account, envelopes) ->
list[list[Envelope]]` says which go together; nothing of a call is left out or repeated.

A vendor that can be asked what became of messages has `look_up(account, envelopes) -> Request`,
of at most `LOOK_UP_BATCH` messages, and `interpret_look_up(envelopes, answer) ->
list[Result | None]`: None where the answer does not tell, which proves nothing. A reference
that is another message's already is no match.

It may have `check(account) -> Request | None` and `explain_check(answer) -> str`: a request that
changes nothing and proves the account's secrets; the text says what is wrong, empty if nothing.

Where WhatsApp templates are made at the vendor, not handed in by us, its `templates` has
`find(account, name) -> Request` and `read(answer, name, language) -> KnownTemplate | None`; then
the vendor's id is what a template is sent by.

Its `webhook` has `verify(account, call) -> bool` and `parse(call) -> list[Parsed]`, which raises
ValueError for what it cannot read, and may say in `ANSWER` (content type, body) what the vendor
wants to hear; a vendor without reports has no such module. Where reports are left in a mailbox,
its `mailbox` has `is_set(account) -> bool` and `reports(account) -> Iterator[bytes]`, which may
raise one of its `Unreachable`, and `explain(account, error) -> str`, which puts an error into
words; `parse` reads each report as the body of a call.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from marketing.content.mail import Mail
from marketing.content.rendering import Parameters, Rendered
from marketing.delivery.rules import MAX_TRIES


@dataclass(frozen=True)
class Account:
    """A provider account as the sender uses it; `credentials` are never logged.

    `webhook_url` is there for clients that say `NAMES_WEBHOOK = True`: the vendor is told with
    each message where to report.
    """

    id: uuid.UUID
    provider: str
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    sender: Mapping[str, str]
    rate_per_second: int
    max_concurrency: int
    webhook_url: str = ""


@dataclass(frozen=True)
class Envelope:
    """One message, rendered; `parameters` are what the vendor fills into its own copy.

    E-mails are `Mail`s, whose words in common need not be written for each. Without a
    `vendor_template` it is free text: an answer within WhatsApp's 24-hour window, or an SMS
    where no template is asked for. `is_promotional` decides on unsubscribe headers and on the
    vendor's route. `tries` counts those made, this one included.
    """

    message_id: uuid.UUID
    address: str
    language: str
    rendered: Rendered | Mail
    parameters: Parameters | None
    vendor_template: str
    unsubscribe_url: str
    is_promotional: bool = True
    tries: int = 1


@dataclass(frozen=True)
class Request:
    """An HTTP request to the vendor."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    """The vendor's answer; names of headers are found whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """The body, when it is an object in JSON; empty when it is anything else."""
        try:
            said = orjson.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


@dataclass(frozen=True)
class Call:
    """A request of the vendor's to us. `url` is the public one it called, with its query.

    `received_at` dates what the vendor does not date itself.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))


@dataclass(frozen=True)
class StatusUpdate:
    """A vendor's word on one message: found by our id if it echoes it, else by its own.

    `suppress` as in `rules.Result`; with "complaint" the state is "delivered", as who
    complains has got it. `alias` is another id of the vendor's by which a later update may
    name the message. `is_free`: the vendor charges nothing for it, whatever the rate card says;
    such an update may be without a state. `is_on_dnd`: her number is on the do-not-disturb
    register. `most_tries` is how often it is worth sending in all.
    """

    key: str
    state: str
    at: dt.datetime
    message_id: uuid.UUID | None = None
    reference: str = ""
    code: str = ""
    detail: str = ""
    error_class: str = ""
    suppress: str = ""
    alias: str = ""
    is_free: bool = False
    is_on_dnd: bool = False
    most_tries: int = MAX_TRIES


@dataclass(frozen=True)
class Inbound:
    """What a person wrote, or asked for through the app's own control (`opt_out`).

    `address` is the E.164 phone or the e-mail address, empty where the vendor hides it;
    `scoped_id` WhatsApp's business-scoped id. `is_answered`: the vendor has replied to the
    keyword itself.
    """

    key: str
    address: str
    text: str
    at: dt.datetime
    opt_out: bool | None = None
    scoped_id: str = ""
    is_answered: bool = False


@dataclass(frozen=True)
class Subscription:
    """The vendor asks to be told, by a GET of `url`, that callbacks are wanted here."""

    url: str


@dataclass(frozen=True)
class TemplateUpdate:
    """What the vendor says of a WhatsApp template; "" of what it does not speak of.

    `status` is one of content's `WhatsAppStatus`, and `said` the vendor's own word for it.
    `next_category` will hold soon, `at` is by the vendor's clock.
    """

    name: str
    language: str
    status: str = ""
    reason: str = ""
    said: str = ""
    category: str = ""
    next_category: str = ""
    quality: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Notice:
    """What the vendor says of the account, for people to read.

    `kind` is account or number; `subject` names the number, `text` says what changed, in the
    vendor's words.
    """

    key: str
    kind: str
    subject: str
    text: str


@dataclass(frozen=True)
class KnownTemplate:
    """A template as the vendor has it: `status` is one of content's `WhatsAppStatus`."""

    id: str
    status: str
    reason: str = ""


Parsed = Notice | StatusUpdate | Inbound | TemplateUpdate | Subscription


def our_id(text: object) -> uuid.UUID | None:
    """Our message id in what a vendor echoes; None where it is none of ours."""
    try:
        return uuid.UUID(str(text)) if text else None
    except ValueError:
        return None
