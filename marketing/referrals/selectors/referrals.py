"""Referrals as lists, cards and the leaderboard show them."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.models import Customer, Service
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.templatetags.formats import exact_percent, format_number
from marketing.core.tenancy import current_tenant
from marketing.referrals import links, rules
from marketing.referrals.models import (
    Referral,
    ReferralCode,
    ReferralProgramme,
    ReferralStep,
    RewardType,
)


def programme() -> ReferralProgramme:
    """The chain's programme; Module 11's defaults, unsaved, where nobody has set it up."""
    return ReferralProgramme.objects.first() or ReferralProgramme()


def referrals_for_actor(actor: Actor) -> QuerySet[Referral]:
    """The referrals of the actor's branches, newest first; those of no branch are the chain's."""
    rows = Referral.objects.select_related("referrer", "friend", "code", "branch")
    if actor.branch_ids is not None:
        rows = rows.filter(branch__in=actor.branch_ids)
    return rows.order_by("-id")


def get_referral_for_actor(actor: Actor, pk: uuid.UUID) -> Referral:
    """Raises `NotFound` for another chain's or branch's."""
    referral = referrals_for_actor(actor).filter(pk=pk).first()
    if referral is None:
        raise NotFound()
    return referral


def steps_of(referral: Referral) -> QuerySet[ReferralStep]:
    """What became of it, the first first."""
    return ReferralStep.objects.filter(referral=referral).order_by("pk")


def code_of(customer: Customer) -> ReferralCode | None:
    """Her code, if she has one yet."""
    return ReferralCode.objects.filter(customer=customer).first()


def brought_by(customer: Customer) -> QuerySet[Referral]:
    """Whom she brought, newest first; who only opened her link is nobody yet."""
    rows = Referral.objects.filter(referrer=customer).exclude(state=Referral.State.INVITED)
    return rows.select_related("friend").order_by("-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """One line of the leaderboard."""

    place: int
    customer: Customer
    brought: int
    rewarded: int


def leaderboard(
    actor: Actor, *, since: dt.datetime | None = None, until: dt.datetime | None = None, size: int
) -> list[Brought]:
    """Who brought most friends that came, in the actor's branches; equal ones by who was first.

    Two statements.
    """
    rows = Referral.objects.filter(state__in=rules.CONVERTED)
    if actor.branch_ids is not None:
        rows = rows.filter(branch__in=actor.branch_ids)
    if since is not None:
        rows = rows.filter(converted_at__gte=since)
    if until is not None:
        rows = rows.filter(converted_at__lt=until)
    best = list(
        rows.values("referrer_id")
        .annotate(
            brought=Count("pk"), rewarded=Count("pk", filter=Q(state=Referral.State.REWARDED))
        )
        .order_by("-brought", "-rewarded", "referrer_id")[:size]
    )
    people = Customer.objects.in_bulk([row["referrer_id"] for row in best])
    return [
        Brought(
            place=place,
            customer=people[row["referrer_id"]],
            brought=row["brought"],
            rewarded=row["rewarded"],
        )
        for place, row in enumerate(best, start=1)
        if row["referrer_id"] in people
    ]


def share_text(language: str, code: str) -> str:
    """What she sends to a friend: the chain's words in that language, with code and link.

    `{code}` and `{link}` stand for them; what lacks the link has it at its end.
    """
    chain = current_tenant()
    texts = programme().share_text or {}
    link = links.share_url(chain, code)
    text = str(texts.get(language) or texts.get("en") or "")
    if not text:
        with translation.override(language if language in ("en", "hi") else "en"):
            text = _("I like going to %(chain)s. Come too: tell them my code {code}. {link}") % {
                "chain": chain.name
            }
    if "{link}" not in text:
        text = f"{text} {{link}}"
    return text.replace("{code}", code).replace("{link}", link)


def with_names(pk: uuid.UUID) -> Referral:
    """The referral with whom it is about."""
    return Referral.objects.select_related("referrer", "friend", "code").get(pk=pk)


def reward_words(kind: str, value: Any, service: Service | None) -> str:
    """What somebody gets, in words: "10% off", "100 points"."""
    if kind == RewardType.FREE_SERVICE:
        return _("%(service)s for free") % {"service": service.name if service else ""}
    if kind == RewardType.POINTS:
        points = int(value or 0)
        words = ngettext("%(points)s point", "%(points)s points", points)
        return words % {"points": format_number(points)}
    return _("%(share)s off") % {"share": exact_percent(value)}
