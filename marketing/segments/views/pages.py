"""The list, and one segment."""

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import localdate as local_today
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from customers.selectors import get_customer_for_actor, search_customers
from marketing.core import clock
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.segments import selectors, services
from marketing.segments.context import RuleContext
from marketing.segments.explanation import explain_membership
from marketing.segments.history import size_history
from marketing.segments.models import Segment
from marketing.segments.sentence import describe
from marketing.segments.usage import users_of

ROWS = 50
MATCHES = 8
VERSIONS = 20


@require_safe
@staff_view("segment.view")
def segment_list(request: StaffRequest) -> HttpResponse:
    """Own segments, then the built-in ones, with their counts within the actor's branches."""
    query = request.GET.get("q", "").strip()
    segments = selectors.segments_for_actor(request.actor)
    if query:
        segments = segments.filter(name__icontains=query)
    page = Paginator(segments.order_by("segment_type", "name", "pk"), ROWS).get_page(
        request.GET.get("page")
    )
    context = RuleContext()
    context.know(segments)
    rows = [_row(request, segment, context) for segment in page]
    return render(request, "segments/list.html", {"rows": rows, "page": page, "query": query})


@require_safe
@staff_view("segment.view")
def segment_detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """What the segment says, who is in it, what uses it, and why somebody is or is not in it."""
    segment = selectors.get_segment_for_actor(request.actor, pk)
    context: dict[str, Any] = _row(request, segment, RuleContext()) | {
        "branches": selectors.branch_names(segment),
        "users": users_of(segment),
        "may_change": services.may_change(request.actor, segment),
        "may_manage": request.actor.can("segment.manage"),
        "may_export": request.actor.can("segment.export"),
    }
    if segment.is_dynamic:
        context["versions"] = _versions(segment)
    context |= _people(request, segment) | _why(request, segment)
    context["history"] = size_history(segment, request.actor.branch_ids, until=local_today())
    return render(request, "segments/detail.html", context)


def _row(request: StaffRequest, segment: Segment, context: RuleContext) -> dict[str, Any]:
    sentence = describe(segment.rules, get_language() or "en", context)
    return {
        "segment": segment,
        "count": segment.count_within(request.actor.branch_ids),
        "sentence": sentence if segment.is_dynamic else "",
    }


def _versions(segment: Segment) -> list[dict[str, Any]]:
    """The last saves, each in words."""
    language, context = get_language() or "en", RuleContext()
    return [
        {"saved": each, "sentence": describe(each.rules, language, context)}
        for each in selectors.versions_of(segment, VERSIONS)
    ]


def _people(request: StaffRequest, segment: Segment) -> dict[str, Any]:
    """One page of members, oldest customers last; or why there can be none."""
    if not request.actor.can("segment.manage"):
        return {}
    try:
        members = selectors.members_for_actor(request.actor, segment, now=clock.now())
    except DomainError as error:
        return {"broken": error}
    after = request.GET.get("after", "")
    try:
        members = members.filter(pk__lt=uuid.UUID(after)) if after else members
    except ValueError:
        after = ""
    rows = list(members.select_related("facts", "home_branch").order_by("-pk")[: ROWS + 1])
    return {
        "members": rows[:ROWS],
        "after": after,
        "next_after": rows[ROWS - 1].pk if len(rows) > ROWS else None,
    }


def _why(request: StaffRequest, segment: Segment) -> dict[str, Any]:
    query = request.GET.get("person", "").strip()
    found: dict[str, Any] = {"person": query}
    if query:
        found["matches"] = search_customers(request.actor, query)[:MATCHES]
    try:
        pk = uuid.UUID(request.GET.get("customer", ""))
    except ValueError:
        return found
    customer = get_customer_for_actor(request.actor, pk)
    try:
        explanation = explain_membership(
            segment, customer, language=get_language() or "en", now=clock.now()
        )
    except DomainError as error:
        return found | {"broken": error}
    return found | {"customer": customer, "explanation": explanation}
