"""The editor of offers: a plain form; HTMX redraws it for another kind and prices the sample."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketing.core import clock
from marketing.core.errors import Conflict, DomainError, Forbidden
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.sent_again import make_once
from marketing.coupons import selectors, services
from marketing.coupons.forms import STARTS, Choices, OfferForm, initial_of
from marketing.coupons.models import Offer
from marketing.coupons.selectors import listing
from marketing.coupons.selectors.listing import OfferState
from marketing.coupons.views.conflicts import OfferConflict, conflict_with, seen_version
from marketing.coupons.views.trial import Trial


@staff_view("coupon.manage")
@require_http_methods(["GET", "POST"])
def offer_new(request: StaffRequest) -> HttpResponse:
    """Choose a beginning, then fill the form in."""
    choices = Choices(request.actor)
    if request.method == "POST":
        return _posted(request, None, choices)
    start = STARTS.get(request.GET.get("start", ""))
    if start is None:
        return render(request, "coupons/starts.html", {"starts": STARTS})
    initial = start.values(timezone.localtime(clock.now()))
    if request.actor.branch_ids is not None:
        initial["branches"] = [pk for pk, _name in choices.branches]
    form = OfferForm(choices=choices, initial=initial)
    return _page(request, None, form, choices)


@staff_view("coupon.manage")
@require_http_methods(["GET", "POST"])
def offer_edit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Change an offer; bills reserved before keep what they were promised."""
    offer = selectors.get_offer_for_actor(request.actor, pk)
    if not services.may_change(request.actor, selectors.body_of(offer)):
        raise Forbidden(_("The offer holds in branches that are not yours."))
    choices = Choices(request.actor)
    if request.method == "POST":
        return _posted(request, offer, choices)
    form = OfferForm(choices=choices, offer=offer, initial=_initial(offer))
    return _page(request, offer, form, choices)


@staff_view("coupon.manage")
@require_POST
def offer_sample(request: StaffRequest) -> HttpResponse:
    """The sample bill as the unsaved form prices it."""
    trial = Trial.of_post(request, Choices(request.actor))
    return render(request, "coupons/_sample.html", trial.sample())


@staff_view("coupon.manage")
@require_POST
def offer_cost(request: StaffRequest) -> HttpResponse:
    """What the unsaved form would have cost on past bills."""
    trial = Trial.of_post(request, Choices(request.actor))
    return render(request, "coupons/_cost.html", trial.cost())


def _posted(request: StaffRequest, offer: Offer | None, choices: Choices) -> HttpResponse:
    action = request.POST.get("action", "save")
    if action != "save":
        return _shown_again(request, offer, choices, action)
    form = OfferForm(
        request.POST, choices=choices, offer=offer, initial=_initial(offer) if offer else None
    )
    conflict = None
    if form.is_valid():
        try:
            saved, said = _save(request, offer, form)
        except Conflict:
            conflict = _conflict(request, offer, form)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, said)
            if _is_over(saved):
                messages.warning(request, _("Its time is over: nobody gets it any more."))
            return redirect("offer-detail", saved.pk)
    return _page(request, offer, form, choices, conflict=conflict, status=422)


def _conflict(request: StaffRequest, offer: Offer | None, form: OfferForm) -> OfferConflict | None:
    """The difference; where what was entered is no offer, first what is wrong with it."""
    assert offer is not None  # only a change can meet another
    try:
        return conflict_with(request.actor, offer, form.values())
    except DomainError as error:
        form.refuse(error)
        return None


def _shown_again(
    request: StaffRequest, offer: Offer | None, choices: Choices, action: str
) -> HttpResponse:
    """The form as typed, for another kind or, without scripts, with what was asked for."""
    form = OfferForm.typed(request.POST, choices=choices, offer=offer)
    if request.htmx:
        return render(request, "coupons/editor.html#fields", {"form": form, "offer": offer})
    trial = Trial.of_post(request, choices)
    beside = trial.cost() if action == "cost" else {}
    return _page(request, offer, form, choices, trial=trial, **beside)


def _save(request: StaffRequest, offer: Offer | None, form: OfferForm) -> tuple[Offer, str]:
    """The offer as it is now, and what to say of it."""
    if offer is None:
        return _create_once(request, form.values())
    changed = services.update_offer(
        actor=request.actor,
        offer=offer,
        values=form.values(),
        version=seen_version(request.POST, form.cleaned_data["version"]),
    )
    return changed, _("Saved.")


def _create_once(request: StaffRequest, body: dict[str, Any]) -> tuple[Offer, str]:
    """A page that is sent again, by the back button or twice, makes no second offer of the same."""
    made = make_once(
        actor=request.actor,
        operation="offer-new",
        content=body,
        make=lambda: services.create_offer(actor=request.actor, body=body).pk,
    )
    offer = selectors.get_offer_for_actor(request.actor, made.pk)
    return offer, _("Saved.") if made.is_new else _("You saved the same before: this is it.")


def _is_over(offer: Offer) -> bool:
    now = timezone.localtime(clock.now())
    stated = listing.with_state(Offer.objects.filter(pk=offer.pk), now)
    return stated.filter(Q(state=OfferState.OVER)).exists()


def _initial(offer: Offer) -> dict[str, Any]:
    return initial_of(offer, selectors.terms_of(offer))


def _page(
    request: StaffRequest,
    offer: Offer | None,
    form: OfferForm,
    choices: Choices,
    *,
    trial: Trial | None = None,
    status: int = 200,
    **beside: Any,
) -> HttpResponse:
    if trial is None:
        trial = Trial.of_form(request, form, choices)
    context: Mapping[str, Any] = {
        "form": form,
        "offer": offer,
        **trial.sample(),
        **beside,
    }
    return render(request, "coupons/editor.html", context, status=status)
