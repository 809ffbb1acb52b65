"""Handing out whom a campaign went to as a file: the actor's branches, masked by role, audited."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from customers.exports.masking import mask_addresses
from customers.exports.services import CONTENT_TYPES, Export, require_format, write_file
from customers.models import Channel
from customers.rules import mask_email
from marketing.campaigns.models import CampaignRun
from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.logs import mask_phone
from marketing.core.models import Tenant
from marketing.core.tenancy import current_tenant
from marketing.delivery import selectors as delivery
from marketing.delivery.models import Message, MessageState
from marketing.delivery.wording import why


@transaction.atomic
def export_recipients(
    *, actor: Actor, run: CampaignRun, format: str, state: str = "", reason: str = ""
) -> Export:
    """The run's people at the actor's branches, each once, as csv, xlsx or json.

    `state` and `reason` narrow them as on the campaign's page. Whoever may not export whole people
    gets phones and e-mail addresses masked, in names too. Read page by page: what changes meanwhile
    may stand in it as it was or as it is.
    """
    actor.require("customer.export_list")
    require_format(format)
    is_masked = not actor.can("customer.export")
    audit.record(
        actor,
        "campaign.export",
        run.campaign,
        {
            "run": run.number,
            "state": state,
            "reason": reason,
            "format": format,
            "masked": is_masked,
        },
    )
    write = _writer(current_tenant(), is_masked=is_masked)
    rows = (write(message) for message in _at_branches(actor, run, state, reason))
    pieces = _in_language(get_language(), write_file(format, _headings(), rows))
    return Export(CONTENT_TYPES[format], pieces)


def _headings() -> dict[str, str]:
    return {
        "customerId": _("Customer"),
        "name": _("Name"),
        "branch": _("Branch"),
        "channel": _("Channel"),
        "address": _("Address"),
        "state": _("State"),
        "reason": _("Why"),
        "sentAt": _("Sent"),
        "deliveredAt": _("Delivered"),
        "readAt": _("Read"),
        "cost": _("Cost"),
    }


def _at_branches(actor: Actor, run: CampaignRun, state: str, reason: str) -> Iterator[Message]:
    states = [state] if state in MessageState.values else []
    everybody = delivery.all_recipients(run.send_run, states=states, reason=reason)
    branches = actor.branch_ids
    return (
        message
        for message in everybody
        if branches is None or message.customer.home_branch_id in branches
    )


def _writer(chain: Tenant, *, is_masked: bool) -> Callable[[Message], list[Any]]:
    """What the file says of a recipient, under the names of `_headings`."""
    zone = ZoneInfo(chain.time_zone)

    def moment(at: dt.datetime | None) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else ""

    def write(message: Message) -> list[Any]:
        name, address = message.customer.name, message.address
        if is_masked:
            name = mask_addresses(name)
            mask = mask_email if message.channel == Channel.EMAIL else mask_phone
            address = mask(address) if address else ""
        return [
            str(message.customer_id),
            name,
            message.branch.name if message.branch else "",
            message.get_channel_display(),
            address,
            message.get_state_display(),
            why(message),
            moment(message.sent_at),
            moment(message.delivered_at),
            moment(message.read_at),
            str(message.counted_cost),
        ]

    return write


def _in_language(language: str | None, pieces: Iterator[str | bytes]) -> Iterator[str | bytes]:
    """A stream is read when the request, and its language, is over."""
    while True:
        with override(language):
            try:
                piece = next(pieces)
            except StopIteration:
                return
        yield piece
