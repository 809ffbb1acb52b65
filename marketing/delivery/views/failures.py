"""What failed or got no answer in the last 30 days, by cause, and what may be done about it."""

import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from customers.models import Customer
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.delivery import selectors, services
from marketing.delivery.models import MessageState, SendRun
from marketing.delivery.selectors import Cause
from marketing.delivery.services.decisions import decided_before
from marketing.policy.selectors import get_config

PEOPLE_SHOWN = 3
# Of a cause, until it is looked at alone; of what must be decided, until some of it is.
PARTS_SHOWN = 5
UNDECIDED_SHOWN = 10


@dataclass(frozen=True)
class Failure:
    """A cause over all runs that met it; `parts` are those runs with their share.

    `more` is how many parts are left out.
    """

    cause: Cause
    messages: int
    parts: list[tuple[SendRun, Cause]]
    more: int
    people: list[Customer]


@staff_view("campaign.send")
@require_safe
def failure_list(request: StaffRequest) -> HttpResponse:
    """Every cause with the campaigns that it struck most; `cause` asks for all of one."""
    wanted_cause = request.GET.get("cause", "")
    runs = {run.pk: run for run in selectors.recent_runs(request.actor)}
    causes = selectors.causes_of(list(runs), [MessageState.FAILED, MessageState.UNKNOWN])
    wanted = {pk for cause in causes for pk in cause.customer_ids}
    people = Customer.objects.in_bulk(wanted)
    asked_before = decided_before(clock.now())
    undecided = [
        (runs[cause.run_id], cause, [people[pk] for pk in cause.customer_ids if pk in people])
        for cause in causes
        if cause.state == MessageState.UNKNOWN
        and (runs[cause.run_id].frozen_at or clock.now()) < asked_before
    ]
    return render(
        request,
        "delivery/failures.html",
        {
            "failures": _by_cause(causes, runs, people, wanted_cause),
            "undecided": undecided[:UNDECIDED_SHOWN] if not wanted_cause else [],
            "undecided_later": max(len(undecided) - UNDECIDED_SHOWN, 0),
            "wanted_cause": wanted_cause,
            "hours": get_config().unknown_decision_hours,
        },
    )


def _by_cause(
    causes: list[Cause],
    runs: dict[uuid.UUID, SendRun],
    people: dict[uuid.UUID, Customer],
    wanted: str,
) -> list[Failure]:
    """What is still open, most frequent first; with a cause `wanted`, that one whole."""
    grouped: dict[str, list[Cause]] = defaultdict(list)
    for cause in causes:
        if cause.state != MessageState.UNKNOWN and cause.open and wanted in ("", cause.key):
            grouped[cause.key].append(cause)
    most = None if wanted else PARTS_SHOWN
    found = [
        Failure(
            cause=same[0],
            messages=sum(cause.open for cause in same),
            parts=[(runs[cause.run_id], cause) for cause in same[:most]],
            more=len(same) - len(same[:most]),
            people=[people[pk] for cause in same for pk in cause.customer_ids if pk in people][
                :PEOPLE_SHOWN
            ],
        )
        for same in grouped.values()
    ]
    return sorted(found, key=lambda failure: -failure.messages)


@staff_view("campaign.send")
@require_POST
def discard(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Give up what failed in a run for one cause."""
    code = request.POST.get("code", "")
    return _act(
        request,
        pk,
        lambda run: services.discard_failed(actor=request.actor, run=run, code=code),
        lambda n: ngettext("%(n)s message given up.", "%(n)s messages given up.", n),
    )


@staff_view("campaign.send")
@require_POST
def decide(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Count what got no answer as sent, or as failed."""
    code, as_sent = request.POST.get("code", ""), request.POST.get("as") == "sent"
    return _act(
        request,
        pk,
        lambda run: services.decide_unknown(
            actor=request.actor, run=run, code=code, as_sent=as_sent
        ),
        lambda n: (
            ngettext("%(n)s message counts as sent.", "%(n)s messages count as sent.", n)
            if as_sent
            else ngettext("%(n)s message counts as failed.", "%(n)s messages count as failed.", n)
        ),
    )


def _act(
    request: StaffRequest,
    pk: uuid.UUID,
    service: Callable[[SendRun], int],
    done: Callable[[int], Any],
) -> HttpResponse:
    run = selectors.get_run_for_actor(request.actor, pk)
    try:
        count = service(run)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done(count) % {"n": count})
    return redirect("failure-list")
