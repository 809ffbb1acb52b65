"""Referrals of the open tenant scope, through the services and the counter."""

import datetime as dt
from decimal import Decimal
from typing import Any

from customers.models import Customer
from marketing.core.actor import Actor
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant_id
from marketing.referrals import services
from marketing.referrals.models import Referral, ReferralProgramme
from tests.factories.coupons import sell


def system() -> Actor:
    return Actor.system(current_tenant_id())


def make_programme(**settings: Any) -> ReferralProgramme:
    """Module 11's defaults (100 points; a tenth off for the friend; from ₹500 on), unless said."""
    return services.update_programme(actor=system(), values={"is_enabled": True, **settings})


def code_for(customer: Customer) -> str:
    return services.get_or_create_code(actor=system(), customer=customer).code


def bring(referrer: Customer, friend: Customer, branch: Branch | None = None) -> Referral:
    """The friend tells the code at sign-up."""
    return services.apply_code(
        actor=system(),
        code=code_for(referrer),
        customer=friend,
        branch_id=branch and branch.pk,
    )


def converted(referrer: Customer, friend: Customer, branch: Branch, rupees: int = 1000) -> Referral:
    """The friend comes with the code and pays a bill of one line."""
    sell(branch, f"{Decimal(rupees)}.00", codes=[code_for(referrer)], customer=friend)
    return Referral.objects.get(friend=friend)


def past_hold(referral: Referral) -> Referral:
    """The refund window is over."""
    Referral.objects.filter(pk=referral.pk).update(
        hold_until=referral.created_at - dt.timedelta(days=1)
    )
    return referral


def reward_all() -> None:
    """What the sweep does."""
    while services.approve_due():
        pass
    while services.reward_due():
        pass
