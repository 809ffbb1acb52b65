"""The plain values that vendors' folders work on.

A folder's `client` says in `MAX_BATCH` how many messages one call takes, in `ECHOES_ID` whether
our message id comes back with the callbacks, in `CHARGED_ON` with which state the vendor charges
("sent" or "delivered"), and either

    build(account, envelopes) -> Request
    interpret(envelopes, answer) -> list[Result]      as many, in the same order

or, where the vendor is not asked over plain HTTP,

    async deliver(account, envelopes) -> list[Result]

It may have `check(account) -> Request | None` and `explain_check(answer) -> str`: a request that
changes nothing and proves the account's secrets; the text says what is wrong, empty if nothing.

Its `webhook` has `verify(account, call) -> bool` and `parse(call) -> list[Parsed]`, which raises
ValueError for what it cannot read, and may say in `ANSWER` (content type, body) what the vendor
wants to hear; a vendor without callbacks has no such module.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from marketing.content.rendering import Parameters, Rendered


@dataclass(frozen=True)
class Account:
    """A provider account as the sender uses it; `credentials` are never logged."""

    id: uuid.UUID
    provider: str
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    sender: Mapping[str, str]
    rate_per_second: int
    max_concurrency: int


@dataclass(frozen=True)
class Envelope:
    """One message, rendered; `parameters` are what the vendor fills into its own copy.

    Without a `vendor_template` it is free text: an answer within WhatsApp's 24-hour window, or
    an SMS where no template is asked for. `is_promotional` decides on unsubscribe headers and
    on the vendor's route.
    """

    message_id: uuid.UUID
    address: str
    language: str
    rendered: Rendered
    parameters: Parameters | None
    vendor_template: str
    unsubscribe_url: str
    is_promotional: bool = True


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


@dataclass(frozen=True)
class Call:
    """A request of the vendor's to us. `url` is the public one it called, with its query."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class StatusUpdate:
    """A vendor's word on one message: found by our id if it echoes it, else by its own.

    `suppress` as in `rules.Result`; with "complaint" the state is "delivered", as who
    complains has got it.
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
    """A WhatsApp template's new state."""

    name: str
    language: str
    status: str
    reason: str


Parsed = StatusUpdate | Inbound | TemplateUpdate | Subscription
