"""What came in, for people to look at: requests, what they say, how far behind we are."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, F, Func, IntegerField, Min, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.logs import mask_personal_data
from marketing.delivery.models import (
    ExtraKeyword,
    InboundMessage,
    Message,
    MessageState,
    WebhookEvent,
)
from marketing.delivery.providers.base import (
    Call,
    Inbound,
    Notice,
    Parsed,
    StatusUpdate,
    Subscription,
    TemplateUpdate,
)
from marketing.delivery.registry import webhook_of
from marketing.delivery.webhooks.keywords import normalize
from marketing.policy.models import ProviderAccount

TROUBLE = (WebhookEvent.State.UNKNOWN, WebhookEvent.State.UNREADABLE)
# What a list reads of bodies, and what a page shows of a request.
BRIEF_BYTES = 64 * 2**10
BRIEF_LINES = 2
LINES = 100


@dataclass(frozen=True)
class Line:
    """One thing that a request says, in words; `customer_id` where it is about a message."""

    title: str
    text: str = ""
    at: dt.datetime | None = None
    customer_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Lag:
    """How many requests wait to be applied, and since when the oldest does."""

    waiting: int
    since: dt.datetime | None


def may_see_addresses(actor: Actor) -> bool:
    """Requests are of every branch's customers, so only owners see whole numbers in them."""
    return actor.can("config.change")


def requests(
    *, account_id: uuid.UUID | None = None, state: str = "", before: uuid.UUID | None = None
) -> QuerySet[WebhookEvent]:
    """Requests newest first, without their bodies; `size` is the body's length in bytes."""
    found = WebhookEvent.objects.defer("body").order_by("-pk")
    if account_id:
        found = found.filter(account_id=account_id)
    if state:
        found = found.filter(state=state)
    if before:
        found = found.filter(pk__lt=before)
    length = Func(F("body"), function="octet_length", output_field=IntegerField())
    return found.annotate(size=length)


def brief_lines(shown: Sequence[WebhookEvent], actor: Actor) -> dict[uuid.UUID, list[Line]]:
    """The first lines of each request, of those too long to be read in a list none."""
    short = [event.pk for event in shown if getattr(event, "size", 0) <= BRIEF_BYTES]
    whole = WebhookEvent.objects.filter(pk__in=short).order_by()
    return {event.pk: lines(event, actor, limit=BRIEF_LINES) for event in whole}


def get_request_for_actor(actor: Actor, pk: uuid.UUID) -> WebhookEvent:
    """Raises `NotFound`, for whoever may not see settings too."""
    found = WebhookEvent.objects.filter(pk=pk).first() if actor.can("config.view") else None
    if found is None:
        raise NotFound()
    return found


def lines(event: WebhookEvent, actor: Actor, *, limit: int = LINES) -> list[Line]:
    """What the request says, at most `limit` lines; none where it cannot be read."""
    return list(_lines(_parsed(event)[:limit], hides_addresses=not may_see_addresses(actor)))


def lines_with_customers(event: WebhookEvent, actor: Actor) -> list[Line]:
    """As `lines`, with the customers whose messages are spoken of."""
    parsed = _parsed(event)[:LINES]
    said = _lines(parsed, hides_addresses=not may_see_addresses(actor))
    ids = [getattr(item, "message_id", None) for item in parsed]
    rows = Message.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "customer_id")
    customers = dict(rows)
    return [
        Line(line.title, line.text, line.at, customers.get(pk) if pk else None)
        for line, pk in zip(said, ids, strict=True)
    ]


def _parsed(event: WebhookEvent) -> list[Parsed]:
    call = Call(
        url=f"?{event.query}", headers={}, body=bytes(event.body), received_at=event.received_at
    )
    try:
        parsed: list[Parsed] = webhook_of(event.provider).parse(call)
    except (ValueError, KeyError):
        return []
    return parsed


def _lines(parsed: Sequence[Parsed], *, hides_addresses: bool) -> Iterator[Line]:
    def shown(text: str) -> str:
        return mask_personal_data(text) if hides_addresses else text

    for item in parsed:
        if isinstance(item, StatusUpdate):
            label = MessageState(item.state).label if item.state else _("Something else")
            cause = " ".join(part for part in (item.code, item.detail) if part)
            yield Line(str(label), shown(cause), item.at)
        elif isinstance(item, Inbound):
            sender = shown(item.address) or _("A person without a number")
            if item.opt_out is None:
                yield Line(_("%(sender)s wrote") % {"sender": sender}, shown(item.text), item.at)
            elif item.opt_out:
                yield Line(_("%(sender)s asked to stop") % {"sender": sender}, "", item.at)
            else:
                yield Line(_("%(sender)s asked to start again") % {"sender": sender}, "", item.at)
        elif isinstance(item, TemplateUpdate):
            name = f"{item.name} ({item.language})"
            text = " ".join(part for part in (item.status, item.reason) if part)
            yield Line(_("Template %(name)s") % {"name": name}, text)
        elif isinstance(item, Notice):
            yield Line(f"{item.kind} {item.subject}".strip(), shown(item.text))
        elif isinstance(item, Subscription):
            # The rest of the address is a secret.
            host = urlsplit(item.url).hostname or ""
            yield Line(_("Asks to be confirmed at %(host)s") % {"host": host})


def lag() -> Lag:
    """Of what is due now: requests that name unknown messages wait for their next look."""
    due = WebhookEvent.objects.filter(
        applied_at=None, next_at__lte=timezone.now(), state=WebhookEvent.State.WAITING
    )
    found: dict[str, Any] = due.aggregate(waiting=Count("pk"), since=Min("received_at"))
    return Lag(**found)


def accounts_with_traffic() -> QuerySet[ProviderAccount]:
    """Accounts with `last_at`, when something last came in, and `troubled`, how many requests
    could not be applied."""
    events = WebhookEvent.objects.filter(account_id=OuterRef("pk")).order_by("-pk")
    trouble = (
        events.filter(state__in=TROUBLE)
        .order_by()
        .values("account_id")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return ProviderAccount.objects.annotate(
        last_at=Subquery(events.values("received_at")[:1]), troubled=Subquery(trouble)
    ).order_by("channel", "name")


def strangers() -> QuerySet[InboundMessage]:
    """What people wrote whom nobody knows, newest first."""
    return InboundMessage.objects.filter(is_known=False).exclude(text="").order_by("-pk")


def extra_keywords() -> dict[str, list[str]]:
    """The chain's own words by what they mean."""
    words: dict[str, list[str]] = {keyword: [] for keyword in InboundMessage.Keyword.values}
    for row in ExtraKeyword.objects.order_by("word"):
        words[row.keyword].append(row.word)
    return words


def clean_words(text: str) -> list[str]:
    """Words as they are compared, of a comma-separated text, each once."""
    return [word for word in dict.fromkeys(map(normalize, text.split(","))) if word]
