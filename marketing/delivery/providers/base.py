"""The plain values that vendors' folders work on.

A folder has two modules. `client`: `build(account, envelope) -> Request` and
`interpret(status, headers, body) -> Result`. `webhook`: `verify(account, headers, body) ->
bool` and `parse(body) -> list[Parsed]`, which raises ValueError for what it cannot read.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """One message, rendered; `parameters` are what the vendor fills into its own copy."""

    message_id: uuid.UUID
    address: str
    language: str
    rendered: Rendered
    parameters: Parameters | None
    vendor_template: str
    unsubscribe_url: str


@dataclass(frozen=True)
class Request:
    """An HTTP request to the vendor; always a POST."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class StatusUpdate:
    """A vendor's word on one message: found by our id if it echoes it, else by its own."""

    key: str
    state: str
    at: Any
    message_id: uuid.UUID | None = None
    reference: str = ""
    code: str = ""
    detail: str = ""
    error_class: str = ""


@dataclass(frozen=True)
class Inbound:
    """What a person wrote, or asked for through the app's own control (`opt_out`)."""

    key: str
    address: str
    text: str
    at: Any
    opt_out: bool | None = None


@dataclass(frozen=True)
class TemplateUpdate:
    """A WhatsApp template's new state."""

    name: str
    language: str
    status: str
    reason: str


Parsed = StatusUpdate | Inbound | TemplateUpdate
