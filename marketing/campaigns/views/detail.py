"""One campaign: live figures, what may be done with it, its people and its history."""

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from customers.selectors import search_customers
from marketing.campaigns import rules, services
from marketing.campaigns.forms import TestSendForm
from marketing.campaigns.models import Campaign, CampaignRun, CampaignStatus
from marketing.campaigns.selectors import plan
from marketing.campaigns.selectors.campaigns import (
    approvers_of,
    get_campaign_for_actor,
    get_campaign_in_sight,
    get_campaign_to_resume,
    is_for_actor,
    mandate_for,
    may_approve,
)
from marketing.campaigns.selectors.failures import failed_runs
from marketing.campaigns.selectors.history import history
from marketing.campaigns.selectors.offer_figures import offer_figures
from marketing.campaigns.selectors.progress import engagement_with, figures_of
from marketing.campaigns.selectors.testers import testers
from marketing.campaigns.views.recipients import chosen_run, id_of, people_of
from marketing.campaigns.views.refusals import show_at_fields
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import DomainError, InvalidCampaignStatus
from marketing.core.htmx import StaffRequest
from marketing.core.models import Role
from marketing.core.pages import posted_version, staff_view
from marketing.core.templatetags.formats import unit_price
from marketing.core.tenancy import current_tenant
from marketing.delivery import selectors as delivery
from marketing.delivery.attempts import channels_of
from marketing.delivery.models import SendRun

# How long after the last message the page still looks for deliveries by itself.
FRESH = dt.timedelta(minutes=15)
# How often the page looks: while messages go, and while it waits for its time, money or an account.
LIVE_SECONDS, WAITING_SECONDS = 2, 15
DECISIONS = {"approve", "reject", "ask_for_changes"}


@staff_view("campaign.view")
@require_GET
def campaign_detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return campaign_page(request, get_campaign_in_sight(request.actor, pk))


@staff_view("campaign.view")
@require_GET
def campaign_live(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The part of the page that changes while the campaign sends."""
    campaign = get_campaign_in_sight(request.actor, pk)
    return render(request, "campaigns/detail.html#live", _live(request, campaign))


def campaign_page(
    request: StaffRequest,
    campaign: Campaign,
    error: DomainError | None = None,
    comment: str = "",
    test_form: TestSendForm | None = None,
) -> HttpResponse:
    """The campaign's page, above which stands what was refused; `comment` was not taken, and
    `test_form` has what is wrong at its fields."""
    context: dict[str, Any] = _live(request, campaign) | {
        "history": history(campaign),
        "comment": comment,
        "problems": error.sentences if error else [],
        "is_receptionist": is_receptionist(request.actor),
    }
    if campaign.status == rules.PENDING_APPROVAL and context["mandate"] is None:
        context["approvers"] = approvers_of(campaign)
    if "approve" in context["actions"]:
        context["seen"] = plan.fingerprint(campaign, context["channel_steps"])
    if context["run"]:
        shown = chosen_run(request, context["figures"].runs) or context["run"]
        context |= people_of(request, shown) | {"shown_run": shown}
        context["engagement"] = engagement_with(context["figures"].runs)
        context["offer_figures"] = offer_figures(campaign, context["figures"])
    if "test" in context["actions"]:
        context["test_form"] = test_form or _test_form(request)
    if error is None:
        status = 422 if test_form else 200
    else:
        status = 422 if error.http_status == 400 else error.http_status
    return render(request, "campaigns/detail.html", context, status=status)


def _live(request: StaffRequest, campaign: Campaign) -> dict[str, Any]:
    figures = figures_of([campaign])[campaign.pk]
    run = figures.runs[-1] if figures.runs else None
    is_live = campaign.status == rules.SENDING or figures.is_under_way or _is_fresh(run)
    context: dict[str, Any] = {
        "campaign": campaign,
        "figures": figures,
        "run": run,
        "is_live": is_live,
        "looks_every": LIVE_SECONDS if is_live else WAITING_SECONDS,
        "is_waiting": campaign.status in (CampaignStatus.SCHEDULED, CampaignStatus.PAUSED),
        "actions": _actions(request.actor, campaign),
        "mandate": mandate_for(request.actor, campaign),
        "needs_approver": campaign.pause_reason in rules.REAPPROVAL_REASONS,
        "channel_steps": plan.channel_steps(campaign),
    }
    if run is not None and figures.is_frozen:
        context["reasons"] = sorted(
            delivery.reasons_of(run.send_run).items(), key=lambda item: -item[1]
        )
        context["failures"] = delivery.failures_of(run.send_run)
        if run.send_run.mode != SendRun.Mode.SINGLE:
            context["channels"] = channels_of([run.send_run_id])[run.send_run_id]
        if "retry" in context["actions"]:
            failed = failed_runs(campaign, figures.runs, context["failures"])
            context["failed"] = next((one for one in failed if one.run == run), None)
            context["failed_before"] = [one for one in failed if one.run != run]
    return context


def _is_fresh(run: CampaignRun | None) -> bool:
    """Whether deliveries and readings are still coming in fast."""
    ended = run.send_run.finished_at if run else None
    return ended is not None and clock.now() - ended < FRESH


def _actions(actor: Actor, campaign: Campaign) -> set[str]:
    """What this person may do with the campaign in its present state."""
    allowed = {str(action) for action in rules.actions_in(campaign.status)}
    if not actor.can("campaign.create"):
        return set()
    needs_approver = campaign.pause_reason in rules.REAPPROVAL_REASONS
    if not may_approve(actor, campaign):
        allowed -= DECISIONS | ({"resume"} if needs_approver else set())
    if not is_for_actor(actor, campaign):
        # Whoever only stands in for an approver decides, and does nothing else.
        return allowed & (DECISIONS | {"comment"} | ({"resume"} if needs_approver else set()))
    allowed.add("copy")
    if campaign.template_id:
        allowed.add("test")
    return allowed


def is_receptionist(actor: Actor) -> bool:
    """Receptionists see phones masked in lists."""
    return actor.staff is not None and actor.staff.role == Role.RECEPTIONIST


Service = Callable[..., Any]


def act(
    request: StaffRequest,
    pk: uuid.UUID,
    service: Service,
    done: str,
    find: Callable[[Actor, uuid.UUID], Campaign] = get_campaign_for_actor,
    **values: Any,
) -> HttpResponse:
    """Do it and show the campaign, or show the campaign with the refusal."""
    campaign = find(request.actor, pk)
    if (version := posted_version(request)) is not None:
        values["version"] = version
    try:
        changed = service(actor=request.actor, campaign=campaign, **values)
    except DomainError as error:
        return campaign_page(request, find(request.actor, pk), error)
    _tell(request, changed, done)
    return redirect("campaign-detail", pk)


def _tell(request: StaffRequest, changed: Campaign | CampaignRun, done: str) -> None:
    """That it is done; or, where it lets a campaign go, that its account is stopped."""
    campaign = changed.campaign if isinstance(changed, CampaignRun) else changed
    if campaign.pause_reason == delivery.ACCOUNT_PAUSED:
        messages.warning(request, _("It waits for its provider account, which is stopped."))
    else:
        messages.success(request, done)


@staff_view("campaign.create")
@require_POST
def submit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return act(request, pk, services.submit_campaign, _("Submitted."))


@staff_view("campaign.send")
@require_POST
def schedule(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return act(request, pk, services.schedule_campaign, _("Scheduled."))


@staff_view("campaign.send")
@require_POST
def send(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """A second press finds it on its way, and says so."""
    campaign = get_campaign_for_actor(request.actor, pk)
    try:
        run = services.send_campaign(actor=request.actor, campaign=campaign)
    except InvalidCampaignStatus as error:
        if error.details["status"] != rules.SENDING:
            return campaign_page(request, get_campaign_for_actor(request.actor, pk), error)
        messages.info(request, _("It is already on its way."))
    except DomainError as error:
        return campaign_page(request, get_campaign_for_actor(request.actor, pk), error)
    else:
        _tell(request, run, _("On its way."))
    return redirect("campaign-detail", pk)


@staff_view("campaign.send")
@require_POST
def pause(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return act(request, pk, services.pause_campaign, _("Paused."))


@staff_view("campaign.send")
@require_POST
def resume(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Go on; with `now`, a recurring campaign makes up at once for the time it missed."""
    return act(
        request,
        pk,
        services.resume_campaign,
        _("Resumed."),
        find=get_campaign_to_resume,
        at_once="now" in request.POST,
    )


@staff_view("campaign.send")
@require_POST
def cancel(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return act(request, pk, services.cancel_campaign, _("Cancelled."))


@staff_view("campaign.send")
@require_POST
def retry(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Send again what failed in a run, all of it or for one cause."""
    code = request.POST.get("code")
    run_id = id_of(request.POST.get("run", ""))
    return act(
        request,
        pk,
        services.retry_failed,
        _("On its way again."),
        run_id=run_id,
        codes=None if code is None else [code],
    )


@staff_view("campaign.create")
@require_POST
def copy(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    campaign = get_campaign_for_actor(request.actor, pk)
    try:
        made = services.copy_campaign(actor=request.actor, campaign=campaign)
    except DomainError as error:
        return campaign_page(request, campaign, error)
    return redirect("campaign-edit", made.pk, "details")


@staff_view("campaign.create")
@require_POST
def delete(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    campaign = get_campaign_for_actor(request.actor, pk)
    try:
        services.delete_campaign(actor=request.actor, campaign=campaign)
    except DomainError as error:
        return campaign_page(request, campaign, error)
    messages.success(request, _("Deleted."))
    return redirect("campaign-list")


@staff_view("campaign.send")
@require_POST
def test(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Send each channel's message to staff, written as for a customer."""
    campaign = get_campaign_for_actor(request.actor, pk)
    form = _test_form(request, request.POST)
    if not form.is_valid():
        return campaign_page(request, campaign, test_form=form)
    asked = form.cleaned_data
    text = asked["customer"].strip()
    customer = search_customers(request.actor, text).first() if text else None
    if text and customer is None:
        form.add_error("customer", _("Nobody is called “%(text)s”.") % {"text": text})
        return campaign_page(request, campaign, test_form=form)
    to = testers(request.actor).filter(pk=asked["to"]).first() if asked["to"] else None
    try:
        sent = services.send_test(
            actor=request.actor,
            campaign=campaign,
            customer=customer,
            language=asked["language"],
            with_samples=asked["with_samples"],
            phone=to.phone if to else "",
            email=to.email if to else "",
        )
    except DomainError as error:
        if error.fields and error.fields.keys() <= {"customerId", "phone", "email", "language"}:
            show_at_fields(form, error)
            return campaign_page(request, campaign, test_form=form)
        return campaign_page(request, campaign, error)
    addresses = ", ".join(dict.fromkeys(message.address for message in sent))
    messages.success(
        request,
        ngettext(
            "A test is on its way to %(addresses)s. It costs %(cost)s.",
            "%(count)s tests are on their way to %(addresses)s. They cost %(cost)s.",
            len(sent),
        )
        % {
            "count": len(sent),
            "addresses": addresses,
            "cost": unit_price(sum((message.cost for message in sent), Decimal(0))),
        },
    )
    return redirect("campaign-detail", pk)


def _test_form(request: StaffRequest, data: QueryDict | None = None) -> TestSendForm:
    return TestSendForm(
        data,
        actor=request.actor,
        languages=current_tenant().languages,
        staff=testers(request.actor),
    )
