"""The builder: one form that works by plain posts; HTMX only saves the reload."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketing.core.errors import Conflict, DomainError, Forbidden
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.segments import selectors, services
from marketing.segments.builder.editing import FIRST_FIELD, edit
from marketing.segments.builder.nodes import Errors, Group
from marketing.segments.builder.reading import new_condition, read_rules, unseen
from marketing.segments.fields import Fields
from marketing.segments.forms import ListForm, SegmentForm, on_left_out
from marketing.segments.models import Segment
from marketing.segments.views.preview import (
    compared_options,
    draw,
    overlap_asked,
    panels_asked,
    preview_panel,
)


@require_http_methods(["GET", "POST"])
@staff_view("segment.manage")
def segment_new(request: StaffRequest) -> HttpResponse:
    """A new dynamic segment; its first rules may stand in the address, in the form's own names."""
    return _build(request, None)


@require_http_methods(["GET", "POST"])
@staff_view("segment.manage")
def segment_edit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Change a segment: its rules, or the people on its list."""
    segment = selectors.get_segment_for_actor(request.actor, pk)
    if not services.may_change(request.actor, segment):
        raise Forbidden(_("This segment is not yours to change. Copy it and change the copy."))
    return _build(request, segment) if segment.is_dynamic else _list(request, segment)


@require_http_methods(["GET", "POST"])
@staff_view("segment.manage")
def segment_new_list(request: StaffRequest) -> HttpResponse:
    """A new static segment from phone numbers."""
    return _list(request, None)


def _build(request: StaffRequest, segment: Segment | None) -> HttpResponse:
    fields = Fields()
    if request.method == "GET":
        form = SegmentForm(request.actor, initial=_initial(segment))
        rules = segment.rules if segment else _first_rules(request, fields)
        return _page(request, segment, form, draw(request, fields, rules))
    form = SegmentForm(request.actor, request.POST)
    rules = read_rules(request.POST, fields)
    action = request.POST.get("action", "save")
    if action == "save":
        return _save(request, segment, form, rules, fields)
    panel = preview_panel(request, rules) if action == "preview" else None
    focus = edit(rules, action, fields)
    errors = panel.errors if panel else {}
    root = draw(request, fields, rules, errors=errors, focus=focus)
    if request.htmx:
        response = render(request, "segments/builder.html#rules", {"root": root})
        response["HX-Trigger"] = "rules-changed"
        return response
    form = SegmentForm(request.actor, initial=_typed(request))
    beside = None
    if panel:
        beside = {
            "panel": panel,
            "panels": panels_asked(request, rules) if panel.count else [],
            "overlap": overlap_asked(request, rules),
        }
    return _page(request, segment, form, root, beside=beside)


def _save(
    request: StaffRequest,
    segment: Segment | None,
    form: SegmentForm,
    rules: dict[str, Any],
    fields: Fields,
) -> HttpResponse:
    advice = _("Choose what it is compared with, then save again.")
    errors: Errors = {path: [advice] for path in unseen(request.POST)}
    if form.is_valid() and not errors:
        try:
            saved = _write(request, segment, form, rules)
        except DomainError as error:
            errors = error.fields
            form.take_errors(_with_advice(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("segment-detail", pk=saved.pk)
    root = draw(request, fields, rules, errors=errors)
    return _page(request, segment, form, root, status=422)


def _write(
    request: StaffRequest, segment: Segment | None, form: SegmentForm, rules: dict[str, Any]
) -> Segment:
    values = form.values() | {"rules": rules}
    if segment is None:
        return services.create_segment(actor=request.actor, **values)
    version = form.cleaned_data["version"]
    return services.update_segment(
        actor=request.actor, segment=segment, values=values, version=version
    )


def _with_advice(error: DomainError) -> DomainError:
    if isinstance(error, Conflict):
        error.message = _(
            "Somebody saved this segment in the meantime. Open it again to see their changes; "
            "yours are still here."
        )
    return error


def _list(request: StaffRequest, segment: Segment | None) -> HttpResponse:
    if request.method == "GET":
        form = ListForm(request.actor, initial=_initial(segment))
        return render(request, "segments/list_form.html", {"form": form, "segment": segment})
    form = ListForm(request.actor, request.POST, request.FILES)
    if form.is_valid():
        match = selectors.match_phones(request.actor, form.numbers)
        try:
            form.require_somebody(match)
            saved = _write_list(request, segment, form, match)
        except DomainError as error:
            form.take_errors(_with_advice(error))
        else:
            _tell_saved(request, match)
            return redirect("segment-detail", pk=saved.pk)
    context = {"form": form, "segment": segment}
    return render(request, "segments/list_form.html", context, status=422)


def _write_list(
    request: StaffRequest, segment: Segment | None, form: ListForm, match: selectors.PhoneMatch
) -> Segment:
    values = form.values()
    if form.numbers or segment is None:
        values["customer_ids"] = match.customer_ids
    if segment is None:
        return services.create_segment(actor=request.actor, **values)
    version = form.cleaned_data["version"]
    return services.update_segment(
        actor=request.actor, segment=segment, values=values, version=version
    )


def _tell_saved(request: StaffRequest, match: selectors.PhoneMatch) -> None:
    left_out = on_left_out(match.malformed, match.unknown)
    tell = messages.warning if left_out else messages.success
    tell(request, " ".join([_("Saved."), *left_out]))


def _page(
    request: StaffRequest,
    segment: Segment | None,
    form: SegmentForm,
    root: Group,
    *,
    beside: Mapping[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "segment": segment,
        "form": form,
        "root": root,
        "compared_options": compared_options(request, segment),
        **(beside or {}),
    }
    return render(request, "segments/builder.html", context, status=status)


def _first_rules(request: StaffRequest, fields: Fields) -> dict[str, Any]:
    asked = read_rules(request.GET, fields)
    if asked["conditions"]:
        return asked
    first = fields.get(FIRST_FIELD)
    return {"operator": "AND", "conditions": [new_condition(first)] if first else []}


def _initial(segment: Segment | None) -> dict[str, Any]:
    if segment is None:
        return {}
    return {
        "name": segment.name,
        "description": segment.description,
        "branch_ids": [str(pk) for pk in segment.branch_ids or ()],
        "version": segment.version,
    }


def _typed(request: StaffRequest) -> dict[str, Any]:
    """What stands in the form, shown again without judging it: nothing was saved yet."""
    typed = {name: request.POST.get(name, "") for name in ("name", "description", "version")}
    return typed | {"branch_ids": request.POST.getlist("branch_ids")}
