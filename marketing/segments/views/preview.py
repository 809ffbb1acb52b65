"""What stands beside the builder: who it would be now, why, what overlaps, what it costs."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from customers.models import Customer
from marketing.core import clock
from marketing.core.errors import DomainError, ValidationFailed
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.segments import selectors
from marketing.segments.builder.nodes import Builder, Errors, Group, Option
from marketing.segments.builder.reading import read_rules
from marketing.segments.builder.values import Tree
from marketing.segments.explanation import matching_reasons
from marketing.segments.fields import Fields
from marketing.segments.models import Segment
from marketing.segments.overlap import Overlap, overlap
from marketing.segments.panels import render_panels
from marketing.segments.sentence import describe

Panels = Sequence[tuple[Any, SafeString]]


@dataclass(frozen=True)
class PreviewPanel:
    """The count and ten people, each with why; or what is wrong. `sentences` by language.

    `problems` are those that stand at no condition.
    """

    sentences: list[tuple[str, str]]
    count: int | None = None
    sample: list[tuple[Customer, list[str]]] = field(default_factory=list)
    errors: Errors = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        return [
            message
            for path, messages in self.errors.items()
            if path.partition(".")[0] != "rules"
            for message in messages
        ]


@require_POST
@staff_view("segment.manage")
def segment_preview(request: StaffRequest) -> HttpResponse:
    """The panel beside the builder, and the faults to put at the conditions."""
    fields = Fields()
    rules = read_rules(request.POST, fields)
    panel = preview_panel(request, rules)
    context = {"panel": panel, "root": draw(request, fields, rules, errors=panel.errors)}
    return render(request, "segments/_preview.html", context)


@require_POST
@staff_view("segment.manage")
def segment_overlap(request: StaffRequest) -> HttpResponse:
    """What the rules share with the segments chosen; nothing while something is at fault."""
    rules = read_rules(request.POST, Fields())
    return render(request, "segments/_overlaps.html", {"overlap": overlap_asked(request, rules)})


@require_POST
@staff_view("segment.manage")
def segment_panels(request: StaffRequest) -> HttpResponse:
    """What the apps above know about the people of the rules."""
    rules = read_rules(request.POST, Fields())
    return render(request, "segments/_panels.html", {"panels": panels_asked(request, rules)})


def preview_panel(request: StaffRequest, rules: Tree) -> PreviewPanel:
    """Judged for who asks, within the branches of the form."""
    language = get_language() or "en"
    others = [code for code, _name in settings.LANGUAGES if code != language]
    sentences = [(code, describe(rules, code)) for code in (language, *others)]
    try:
        found = selectors.preview(request.actor, rules, **_asked(request))
    except DomainError as error:
        return PreviewPanel(sentences, errors=error.fields)
    reasons = matching_reasons(
        rules, found.tree, found.sample, language=language, context=found.context
    )
    sample = [(customer, reasons[customer.pk]) for customer in found.sample]
    return PreviewPanel(sentences, found.count, sample)


def overlap_asked(request: StaffRequest, rules: Tree) -> Overlap | None:
    """None when no segment was chosen, or while something is at fault: the panel tells what."""
    try:
        chosen = _ids(request, "compared_with", _("There is no such segment."))
        return overlap(request.actor, rules, other_ids=chosen, **_asked(request))
    except DomainError:
        return None


def panels_asked(request: StaffRequest, rules: Tree) -> Panels:
    """None while something is at fault."""
    try:
        people = selectors.described(request.actor, rules, **_asked(request))
    except DomainError:
        return []
    return render_panels(request, people)


def compared_options(request: StaffRequest, own: Segment | None) -> list[Option]:
    """The segments to compare with."""
    chosen = request.POST.getlist("compared_with")
    return [
        Option(str(each.pk), each.display_name, str(each.pk) in chosen)
        for each in selectors.segments_for_actor(request.actor).order_by("name")
        if each != own
    ]


def draw(
    request: StaffRequest,
    fields: Fields,
    rules: Mapping[str, Any],
    *,
    errors: Errors | None = None,
    focus: str = "",
) -> Group:
    """The rules as the builder shows them."""
    visible = selectors.segments_for_actor(request.actor).order_by("name")
    return Builder(fields, visible, errors=errors, focus=focus).root(rules)


def _asked(request: StaffRequest) -> dict[str, Any]:
    """Branches and segment of the form. Raises `ValidationFailed` for what is no id."""
    branches = _ids(request, "branch_ids", _("There is no such branch among yours."))
    own = _ids(request, "segment_id", _("There is no such segment."))
    return {
        "branch_ids": branches or None,
        "segment_id": own[0] if own else None,
        "now": clock.now(),
    }


def _ids(request: StaffRequest, name: str, otherwise: str) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(text) for text in request.POST.getlist(name) if text]
    except ValueError:
        raise ValidationFailed(fields={name: [otherwise]}) from None
