"""Messages as behaviour that segments count: what was sent to somebody, and what became of it."""

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import Channel, Purpose
from marketing.content.models import MessageTemplate
from marketing.core.ids import lower_bound
from marketing.delivery.models import Message, MessageState, SendRun
from marketing.segments.behaviours import Behaviour
from marketing.segments.fields import Label, SegmentField
from marketing.segments.sources import Column, OneOf
from marketing.segments.value_types import Choice

_OPENED = Q(read_at__isnull=False) | Q(opened_at__isnull=False) | Q(clicked_at__isnull=False)
_SENT = Q(sent_at__isnull=False) & ~Q(state=MessageState.FAILED)
# As the API counts them: who clicked has read, who has read has received.
OUTCOMES: dict[str, Q] = {
    "sent": _SENT,
    "delivered": Q(delivered_at__isnull=False) | _OPENED,
    "read": _OPENED,
    "clicked": Q(clicked_at__isnull=False),
    "failed": Q(state=MessageState.FAILED),
}
_OUTCOME_NAMES: list[tuple[str, Label]] = [
    ("sent", _("sent")),
    ("delivered", _("delivered")),
    ("read", _("opened or read")),
    ("clicked", _("clicked")),
    ("failed", _("failed")),
]
_KINDS: list[tuple[str, Label]] = [
    (SendRun.Kind.CAMPAIGN, _("Campaign")),
    (SendRun.Kind.TRIGGER, _("Automatic")),
    (SendRun.Kind.TRANSACTIONAL, _("Single message")),
]


def _messages() -> QuerySet[Any]:
    return Message.objects.exclude(kind=SendRun.Kind.TEST)


def _since(moment: dt.datetime) -> Q:
    """A message is made when it is to be sent: ids are times, and name the partitions."""
    return Q(id__gte=lower_bound(moment))


def _templates() -> list[tuple[str, Label]]:
    templates = MessageTemplate.objects.order_by("name")
    return [(str(pk), name) for pk, name in templates.values_list("pk", "name")]


MESSAGES = Behaviour(
    "message",
    _("Messages"),
    _("number of messages"),
    _messages,
    _since,
    "-pk",
    [
        SegmentField(
            "state",
            _("What became of it"),
            Choice(),
            OneOf(OUTCOMES),
            choices=lambda: _OUTCOME_NAMES,
            sample="read",
        ),
        SegmentField(
            "channel",
            _("Channel"),
            Choice(),
            Column("channel"),
            choices=lambda: Channel.choices,
            sample="email",
        ),
        SegmentField(
            "purpose",
            _("Purpose"),
            Choice(),
            Column("purpose"),
            choices=lambda: Purpose.choices,
        ),
        SegmentField("kind", _("Kind"), Choice(), Column("kind"), choices=lambda: _KINDS),
        SegmentField(
            "template",
            _("Message text"),
            Choice(),
            Column("template_version__template_id"),
            choices=_templates,
        ),
    ],
    outcomes=frozenset({"state"}),
    settled=_SENT,
)
