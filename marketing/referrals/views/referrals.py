"""Who brought whom: the list, the review queue, the leaderboard."""

import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Case, Value, When
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.selectors import get_customer_for_actor, search_customers
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import error_page, posted_version, staff_view
from marketing.core.tenancy import current_tenant
from marketing.referrals import rules, selectors, services
from marketing.referrals.errors import ReferralOver
from marketing.referrals.forms import ProgrammeForm, ReferralFilter, RejectForm
from marketing.referrals.models import Referral
from marketing.referrals.wording import reason_words, signals_in_words, taken_back_words

ROWS = 50
LEADERS = 50
FOUND_CUSTOMERS = 200


@staff_view("referral.view")
@require_safe
def referral_list(request: StaffRequest) -> HttpResponse:
    """Referrals of one's branches, the newest first."""
    form = ReferralFilter(request.GET)
    asked: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    rows = selectors.referrals_for_actor(request.actor)
    if state := asked.get("state"):
        rows = rows.filter(state=state)
    else:
        rows = rows.exclude(state=Referral.State.INVITED)
    if text := asked.get("q", "").strip():
        found = search_customers(request.actor, text).values_list("pk", flat=True)
        ids = list(found[:FOUND_CUSTOMERS])
        rows = rows.filter(referrer__in=ids) | rows.filter(friend__in=ids)
    if after := asked.get("after"):
        rows = rows.filter(pk__lt=after)
    page = list(rows[: ROWS + 1])
    context = {
        "form": form,
        "rows": page[:ROWS],
        "after": page[ROWS - 1].pk if len(page) > ROWS else None,
        "programme": selectors.programme(),
        "may_configure": request.actor.can("referral.config"),
        "tabs": _tabs(request, "list"),
    }
    return render(request, "referrals/list.html", context)


@staff_view("referral.review")
@require_safe
def review(request: StaffRequest) -> HttpResponse:
    """What waits for a manager: what weighs most first, then the oldest."""
    weight = Case(
        *(
            When(signals__contains=[signal], then=Value(weight))
            for signal, weight in sorted(rules.WEIGHTS.items(), key=lambda item: -item[1])
        ),
        default=Value(1),
    )
    rows = list(_waiting(request).order_by(weight.desc(), "pk")[:ROWS])
    for row in rows:
        row.signal_words = signals_in_words(row.signals)
    context = {"rows": rows, "tabs": _tabs(request, "review")}
    return render(request, "referrals/review.html", context)


@staff_view("referral.view")
@require_safe
def leaderboard(request: StaffRequest) -> HttpResponse:
    """Who brought most friends that came."""
    rows = selectors.leaderboard(request.actor, size=LEADERS)
    context = {"rows": rows, "tabs": _tabs(request, "leaderboard")}
    return render(request, "referrals/leaderboard.html", context)


@staff_view("referral.view")
@require_safe
def detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """One referral, step by step."""
    return _show(request, selectors.get_referral_for_actor(request.actor, pk), RejectForm())


@staff_view("referral.review")
@require_POST
def approve(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Nothing is wrong with it."""
    referral = selectors.get_referral_for_actor(request.actor, pk)
    try:
        services.approve_referral(actor=request.actor, referral=referral)
    except ReferralOver as error:
        return _too_late(request, referral, error)
    except DomainError as error:
        return error_page(request, error)
    messages.success(request, _("Approved: the reward follows by itself."))
    return redirect("referral-review")


@staff_view("referral.review")
@require_POST
def reject(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """It was not honest, for a reason."""
    referral = selectors.get_referral_for_actor(request.actor, pk)
    form = RejectForm(request.POST)
    if not form.is_valid():
        return _show(request, referral, form)
    try:
        services.reject_referral(
            actor=request.actor, referral=referral, reason=form.cleaned_data["reason"]
        )
    except ReferralOver as error:
        return _too_late(request, referral, error)
    except DomainError as error:
        if not error.fields:
            return error_page(request, error)
        form.refuse(error)
        return _show(request, referral, form)
    messages.success(request, _("Rejected: nobody is rewarded."))
    return redirect("referral-review")


@staff_view("referral.config")
@require_http_methods(["GET", "POST"])
def programme(request: StaffRequest) -> HttpResponse:
    """How it is set up."""
    kept = selectors.programme()
    languages = list(dict.fromkeys([*current_tenant().languages, "en"]))
    form = ProgrammeForm(
        request.POST or None,
        instance=kept,
        languages=languages,
        messages=selectors.messages_for_notices(),
        chosen=selectors.chosen_notices(),
    )
    version = kept.version if not kept._state.adding else ""
    if form.is_valid():
        try:
            services.configure(
                actor=request.actor,
                values=form.values(),
                chosen=form.chosen(),
                version=posted_version(request),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("referral-settings")
    status = 422 if form.errors else 200
    context = {"form": form, "version": version}
    return render(request, "referrals/settings.html", context, status=status)


@staff_view("referral.view")
@require_POST
def make_code(request: StaffRequest, customer: uuid.UUID) -> HttpResponse:
    """Give her a code, so that it can be told or shared."""
    person = get_customer_for_actor(request.actor, customer)
    services.get_or_create_code(actor=request.actor, customer=person)
    return redirect("customer-detail", person.pk)


def _too_late(request: StaffRequest, referral: Referral, error: ReferralOver) -> HttpResponse:
    """Back to the referral, whose page tells what was decided and by whom."""
    messages.warning(request, error.message)
    return redirect("referral-detail", referral.pk)


def _show(request: StaffRequest, referral: Referral, form: RejectForm) -> HttpResponse:
    can_decide = (
        referral.is_flagged
        and referral.state in (rules.QUALIFIED, rules.HELD)
        and request.actor.can("referral.review")
    )
    programme = selectors.programme()
    context = {
        "referral": referral,
        "form": form,
        "can_decide": can_decide,
        "signals": signals_in_words(referral.signals),
        "reason": reason_words(referral.reason),
        "taken_back": taken_back_words(referral),
        "steps": [(step, reason_words(step.reason)) for step in selectors.steps_of(referral)],
        "bill": None if referral.bill_total is None else referral.bill_total / 100,
        "reward": selectors.reward_words(
            referral.referrer_reward_type,
            referral.referrer_reward_value,
            programme.referrer_reward_service,
        )
        if referral.referrer_reward_type
        else "",
    }
    status = 422 if form.errors else 200
    return render(request, "referrals/detail.html", context, status=status)


def _waiting(request: StaffRequest) -> Any:
    return selectors.referrals_for_actor(request.actor).filter(
        is_flagged=True, state__in=[rules.QUALIFIED, rules.HELD]
    )


def _tabs(request: StaffRequest, active: str) -> list[dict[str, Any]]:
    tabs: list[tuple[str, str, str, int | None]] = [("list", _("Referrals"), "referral-list", None)]
    if request.actor.can("referral.review"):
        tabs.append(("review", _("To look at"), "referral-review", _waiting(request).count()))
    tabs.append(("leaderboard", _("Who brings most"), "referral-leaderboard", None))
    return [
        {"label": label, "url": reverse(name), "active": key == active, "count": count}
        for key, label, name, count in tabs
    ]
