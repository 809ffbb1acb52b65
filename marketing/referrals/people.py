"""What referrals offer to the customer's page, to a merge, to her rights over her data, and to
messages."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from customers.merging import Holding, move_rows, restore_rows
from customers.models import Customer
from marketing.content.models import MessageTemplate
from marketing.content.usage import Use
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.referrals import links, rules, selectors
from marketing.referrals.models import (
    NoticeTemplate,
    Referral,
    ReferralCode,
    ReferralNotice,
    SeenToken,
)
from marketing.referrals.services.transitions import move

PANEL_ROWS = 4
KEPT = ("created_at", "state", "reason", "source", "converted_at")


def referrals_of_customer(actor: Actor, customer: Customer) -> dict[str, Any]:
    """The card on the customer's page: her code and link, whom she brought, who brought her."""
    code = selectors.code_of(customer)
    rows = list(selectors.brought_by(customer)[: PANEL_ROWS + 1])
    by = Referral.objects.filter(friend=customer).exclude(state__in=rules.FREE)
    shown: dict[str, Any] = {
        "customer": customer,
        "code": code,
        "brought": rows[:PANEL_ROWS],
        "has_more": len(rows) > PANEL_ROWS,
        "brought_by": by.select_related("referrer").first(),
    }
    if code is not None:
        link = links.share_url(current_tenant(), code.code)
        text = selectors.share_text(customer.language, code.code)
        shown |= {"link": link, "whatsapp": links.whatsapp_url(text)}
    return shown


def export_referrals(customer: Customer) -> dict[str, Any]:
    """Her code, whom she brought (their names are not hers to have), how she came, and when what
    she pays and books by was seen."""
    code = ReferralCode.objects.filter(customer=customer).values_list("code", flat=True).first()
    brought = Referral.objects.filter(referrer=customer).order_by("pk")
    came = Referral.objects.filter(friend=customer).order_by("pk")
    return {
        "code": code,
        "brought": list(brought.values(*KEPT)),
        "came": list(came.values(*KEPT, "friend_phone")),
        "seen": list(
            SeenToken.objects.filter(customer=customer).order_by("pk").values("kind", "seen_at")
        ),
    }


def erase_referrals(customer: Customer) -> None:
    """What is not rewarded yet is not any more; her phone is blanked, wherever it was left,
    and what notices say of her."""
    system = Actor.system(current_tenant_id())
    hers = Q(referrer=customer) | Q(friend=customer)
    rows = Referral.objects.filter(hers).order_by("pk")
    open_rows = rows.filter(state__in=[rules.ATTRIBUTED, rules.QUALIFIED, rules.HELD])
    move(system, list(open_rows.values_list("pk", flat=True)), rules.REJECTED, reason="erased")
    approved = rows.filter(state=rules.APPROVED).values_list("pk", flat=True)
    move(system, list(approved), rules.VOIDED, reason="erased")
    Referral.objects.filter(friend=customer).update(friend_phone="")
    ReferralNotice.objects.filter(referral__in=rows.values("pk")).update(said={})
    SeenToken.objects.filter(customer=customer).delete()
    if customer.phone:
        left = Referral.objects.filter(state=rules.INVITED, friend_phone=customer.phone)
        ids = list(left.order_by("pk").values_list("pk", flat=True))
        move(system, ids, rules.EXPIRED, reason="erased", values={"friend_phone": ""})


def uses_of_template(template: MessageTemplate) -> Iterable[Use]:
    """The notices that the message tells."""
    for row in NoticeTemplate.objects.filter(template=template).order_by("kind"):
        yield Use(_("Referrals"), row.get_kind_display(), reverse("referral-settings"))


# The survivor was brought by one, if she was: the other's stays with who is merged.
NOT_BROUGHT = """(
    state IN ('invited', 'rejected', 'expired') OR NOT EXISTS (
        SELECT FROM referrals_referral own WHERE own.friend_id = %(survivor)s
        AND own.state NOT IN ('invited', 'rejected', 'expired'))
)"""
FRIENDS = Holding(
    "referrals.Referral",
    lambda merge: move_rows(Referral, merge, "friend_id", NOT_BROUGHT),
    lambda merge, moved: restore_rows(Referral, merge, moved, "friend_id"),
    "friend",
)
