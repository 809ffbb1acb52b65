"""Friends brought to the demo chain, some of them as far as their reward."""

import datetime as dt
from collections.abc import Mapping

from django.db.models import Exists, OuterRef

from customers.models import Customer, Service
from marketing.campaigns.demo.bills import sell
from marketing.campaigns.demo.organisation import Organisation
from marketing.core.actor import Actor
from marketing.referrals import services as referrals
from marketing.referrals.models import Referral

SIGNED_UP, CAME, REWARDED = 3, 3, 3
FRIENDS = SIGNED_UP + CAME + REWARDED
WAITED = dt.timedelta(days=9)


def make_referrals(
    organisation: Organisation, services: Mapping[str, Service], now: dt.datetime
) -> None:
    """Two guests bring friends: some signed up, some came, some are rewarded; one is flagged."""
    owner = Actor.for_staff(organisation.owner)
    referrals.update_programme(actor=owner, values={"is_enabled": True})
    people = Customer.objects.exclude(phone="").order_by("external_id", "pk")
    regulars = people.filter(facts__visit_count__gt=3)[:2]
    codes = [
        referrals.get_or_create_code(actor=owner, customer=customer).code for customer in regulars
    ]
    if not codes:
        return
    # Of a phone that a family shares, somebody may have been here before.
    others = Customer.objects.filter(phone=OuterRef("phone")).exclude(pk=OuterRef("pk"))
    friends = people.filter(~Exists(others), facts__visit_count=0, created_at__lt=now - WAITED)
    lines = [(services["Haircut, women"], 1), (services["Head massage"], 1)]
    for number, friend in enumerate(friends[:FRIENDS]):
        code = codes[number % len(codes)]
        if number < SIGNED_UP:
            referrals.apply_code(
                actor=owner, code=code, customer=friend, branch_id=organisation.branches[0].pk
            )
        else:
            ago = WAITED if number < SIGNED_UP + REWARDED else dt.timedelta()
            sell(organisation, friend, lines, f"DEMO-F{number}", now, [code], ago)
    came = Referral.objects.filter(bill_invoice__startswith="DEMO").order_by("pk")
    past = [referral.pk for referral in came[:REWARDED]]
    Referral.objects.filter(pk__in=past).update(converted_at=now - WAITED, hold_until=now)
    referrals.approve_due()
    referrals.reward_due()
    flagged = [referral.pk for referral in came.exclude(pk__in=past)[:1]]
    Referral.objects.filter(pk__in=flagged).update(is_flagged=True, signals=["same_address"])
