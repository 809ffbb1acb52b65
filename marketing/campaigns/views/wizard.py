"""The wizard: each step is a plain form that saves the draft and goes on."""

import datetime as dt
import uuid
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from marketing.campaigns import forms, rules, services
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.campaigns import get_campaign_for_actor, may_approve
from marketing.campaigns.selectors.offers import advice
from marketing.campaigns.selectors.outlook import message_previews, outlook
from marketing.campaigns.selectors.suggestions import (
    Suggestion,
    fitting_template,
    suggestion_for,
)
from marketing.campaigns.services.slot_values import fitting
from marketing.campaigns.views.conflicts import in_words, seen_version
from marketing.campaigns.views.parts import campaign_part
from marketing.campaigns.views.refusals import show_at_fields
from marketing.content.selectors import templates_for_actor
from marketing.content.views.link_panel import links_of
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.models import Tenant
from marketing.core.pages import staff_view
from marketing.coupons.merge_fields import COUPON_CODE

STEPS: dict[str, tuple[Any, type[forms.StepForm] | None]] = {
    "details": (gettext_lazy("Details"), forms.DetailsForm),
    "audience": (gettext_lazy("Audience"), forms.AudienceForm),
    "message": (gettext_lazy("Message"), forms.MessageForm),
    "offer": (gettext_lazy("Offer"), forms.OfferForm),
    "schedule": (gettext_lazy("Schedule"), forms.ScheduleForm),
    "review": (gettext_lazy("Review"), None),
}
ORDER = list(STEPS)


@staff_view("campaign.create")
@require_http_methods(["GET", "POST"])
def campaign_new(request: StaffRequest) -> HttpResponse:
    """The first step makes the draft; before it there is nothing."""
    festival = _wished_festival(request)
    form = forms.DetailsForm(
        request.POST or None,
        actor=request.actor,
        campaign=None,
        initial={"name": festival.campaign_name} if festival else {},
    )
    if request.method == "POST" and form.is_valid():
        values = form.values()
        try:
            campaign = services.create_campaign(
                actor=request.actor,
                values=values
                | _wished_segment(request)
                | _for_festival(request.actor, festival, values["channel"]),
            )
        except DomainError as error:
            show_at_fields(form, error)
        else:
            return redirect("campaign-edit", campaign.pk, "audience")
    return _show(request, None, "details", form, festival=festival)


def _wished_segment(request: StaffRequest) -> dict[str, Any]:
    """A segment's page links here with itself as the audience."""
    try:
        return {"segment_id": uuid.UUID(request.GET["segment"])}
    except (KeyError, ValueError):
        return {}


def _wished_festival(request: StaffRequest) -> Suggestion | None:
    """A suggestion of the calendar links here with its festival and the festival's day."""
    try:
        day = dt.date.fromisoformat(request.GET["on"])
        return suggestion_for(request.GET["festival"], day, clock.now())
    except (KeyError, ValueError):
        return None


def _for_festival(actor: Actor, wished: Suggestion | None, channel: str) -> dict[str, Any]:
    """When its campaign goes, and what it says if there is a fitting message already."""
    if wished is None:
        return {}
    template = fitting_template(actor, wished.festival, channel)
    return {"scheduled_at": wished.send_at, "template_id": template.pk if template else None}


@staff_view("campaign.create")
@require_http_methods(["GET", "POST"])
def campaign_edit(request: StaffRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """One step of an existing campaign; saving an approved one takes the approval away."""
    if step not in STEPS:
        raise Http404
    campaign = get_campaign_for_actor(request.actor, pk)
    if not rules.is_allowed(rules.Action.EDIT, campaign.status):
        messages.warning(request, _("It can no longer be edited; make a copy instead."))
        return redirect("campaign-detail", pk)
    form_class = STEPS[step][1]
    if form_class is None:
        return _review(request, campaign)
    if step == "message" and request.method == "GET":
        _take_wished_template(request, campaign)
    form = _form(request, form_class, campaign)
    conflict = None
    if request.method == "POST" and form.is_valid():
        try:
            campaign = _save(request, campaign, form)
        except Conflict as error:
            conflict = in_words(error)
        except DomainError as error:
            show_at_fields(form, error)
        else:
            if "later" in request.POST:
                return redirect("campaign-list")
            return redirect("campaign-edit", pk, _next(request, campaign, step))
    return _show(request, campaign, step, form, conflict=conflict)


def _save(request: StaffRequest, campaign: Campaign, form: forms.StepForm) -> Campaign:
    version = seen_version(request.POST, form.cleaned_data["version"])
    saved: dict[str, Any] = {
        "actor": request.actor,
        "campaign": campaign,
        "values": form.values(),
        "version": version,
    }
    offer = form.new_offer() if isinstance(form, forms.OfferForm) else None
    if offer is not None:
        return services.bring_new_offer(offer=offer, **saved)
    return services.update_campaign(**saved)


def _next(request: StaffRequest, campaign: Campaign, step: str) -> str:
    """The step after this one. That of the offer is passed by where nothing asks for it."""
    following = ORDER[ORDER.index(step) + 1]
    if following == "offer" and not (
        "offer" in request.POST or campaign.coupon_id or plan.fields_of_offer(campaign)
    ):
        return "schedule"
    return following


def _form(
    request: StaffRequest, form_class: type[forms.StepForm], campaign: Campaign
) -> forms.StepForm:
    more: dict[str, str] = {}
    if form_class is forms.ScheduleForm:
        more = {"zone": time_zone_of(request.actor)}
    return form_class(request.POST or None, actor=request.actor, campaign=campaign, **more)


def _take_wished_template(request: StaffRequest, campaign: Campaign) -> None:
    """Whoever wrote a message for this campaign comes back with it; choosing is not saving."""
    with suppress(KeyError, ValueError):
        wished = templates_for_actor(request.actor).filter(
            pk=uuid.UUID(request.GET["template"]), channel=campaign.channel, is_active=True
        )
        campaign.template = wished.first() or campaign.template


def time_zone_of(actor: Actor) -> str:
    """The zone in which schedules are given: the chain's."""
    return Tenant.objects.values_list("time_zone", flat=True).get(pk=actor.tenant_id)


def _show(
    request: StaffRequest,
    campaign: Campaign | None,
    step: str,
    form: forms.StepForm,
    **shown: Any,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "campaign": campaign,
        "step": step,
        "width": "narrow" if step in ("details", "schedule") else "",
    }
    if campaign is not None:
        context["could_approve"] = may_approve(request.actor, campaign)
    if campaign is not None and step == "message":
        context["previews"] = message_previews(_as_chosen(campaign, form))
        context["errand"] = f"?{urlencode({'channel': campaign.channel, 'next': request.path})}"
    if campaign is not None and step == "offer":
        context["says_code"] = COUPON_CODE in plan.fields_of_offer(campaign)
        context["previews"] = message_previews(campaign)
    return render(
        request,
        f"campaigns/wizard_{step}.html",
        context | shown | {"steps": _stepper(campaign, step)},
        status=422 if form.errors or shown.get("conflict") else 200,
    )


def _stepper(campaign: Campaign | None, current: str) -> list[dict[str, Any]]:
    """Steps up to the present one are done; every step of a saved draft can be opened."""
    return [
        {
            "label": label,
            "url": reverse("campaign-edit", args=[campaign.pk, name]) if campaign else "",
            "state": "current"
            if name == current
            else "done"
            if ORDER.index(name) < ORDER.index(current)
            else "todo",
        }
        for name, (label, _form_class) in STEPS.items()
    ]


def _review(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """Everything that will happen; its buttons submit, or send what was approved."""
    problems: list[str] = []
    status = 200
    if request.method == "POST":
        try:
            campaign = services.submit_campaign(actor=request.actor, campaign=campaign)
        except DomainError as error:
            problems, status = error.sentences, 422
        else:
            if campaign.status == rules.PENDING_APPROVAL:
                messages.success(request, _("Sent for approval."))
            else:
                messages.success(request, _("Nobody else need approve it: it is ready to go."))
            return redirect("campaign-detail", campaign.pk)
    channel_steps = plan.channel_steps(campaign)
    return render(
        request,
        "campaigns/wizard_review.html",
        {
            "campaign": campaign,
            "step": "review",
            "steps": _stepper(campaign, "review"),
            "previews": message_previews(campaign),
            "channel_steps": channel_steps,
            "advice": [text for _code, text in advice(campaign, plan.fields_of_offer(campaign))],
            "linked_messages": [
                {"template": step.template, **links_of(step.version)}
                for step in channel_steps
                if step.template
            ],
            "problems": problems,
        },
        status=status,
    )


@staff_view("campaign.create")
@require_GET
def campaign_estimate(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Who would get it: as saved, or as chosen in the audience step but not yet saved.

    A fragment of its own, because counting a million people takes its time.
    """
    campaign = get_campaign_for_actor(request.actor, pk)
    chosen: dict[str, Any] = {}
    if "segment" in request.GET:
        form = forms.AudienceForm(request.GET, actor=request.actor, campaign=campaign)
        chosen = form.values() if form.is_valid() else forms.NOBODY_CHOSEN
    is_fresh = "again" in request.GET
    found = outlook(request.actor, campaign, clock.now(), is_fresh=is_fresh, **chosen)
    return campaign_part(
        request, campaign, "campaigns/_outlook.html", {"outlook": found}, title=_("Who will get it")
    )


@staff_view("campaign.create")
@require_GET
def campaign_preview(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The message step's phones for the messages chosen but not yet saved; or what they leave open
    (`?part=slots`).
    """
    campaign = get_campaign_for_actor(request.actor, pk)
    form = forms.MessageForm(request.GET, actor=request.actor, campaign=campaign)
    form.is_valid()
    if request.GET.get("part") == "slots":
        form = forms.MessageForm(actor=request.actor, campaign=campaign, initial=request.GET.dict())
        return render(request, "campaigns/_slots.html", {"form": form, "campaign": campaign})
    _as_chosen(campaign, form)
    previews = message_previews(campaign, is_stranger="preview_stranger" in request.GET)
    return render(request, "campaigns/_previews.html", {"previews": previews})


@staff_view("campaign.create")
@require_GET
def campaign_dates(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The schedule step's next dates for what is chosen but not yet saved."""
    campaign = get_campaign_for_actor(request.actor, pk)
    form = forms.ScheduleForm(
        request.GET, actor=request.actor, campaign=campaign, zone=time_zone_of(request.actor)
    )
    form.is_valid()
    return render(request, "campaigns/_dates.html", {"form": form})


def _as_chosen(campaign: Campaign, form: forms.StepForm) -> Campaign:
    """The campaign with what the message step says, not to be saved."""
    if isinstance(form, forms.MessageForm) and form.is_bound:
        campaign.template = form.cleaned_data.get("template")
        campaign.further_steps = form.further_steps()
        campaign.slot_values = fitting(campaign, form.slots.values())
    return campaign
