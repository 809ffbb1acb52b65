"""One button each: refresh, copy, delete."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from marketing.core.errors import Conflict, DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.segments import selectors, services


@require_POST
@staff_view("segment.manage")
def segment_refresh(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    segment = selectors.get_segment_for_actor(request.actor, pk)
    try:
        services.refresh_segment(actor=request.actor, segment=segment)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Counted again."))
    return redirect("segment-detail", pk=pk)


@require_POST
@staff_view("segment.manage")
def segment_copy(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    segment = selectors.get_segment_for_actor(request.actor, pk)
    copy = services.copy_segment(actor=request.actor, segment=segment)
    messages.success(request, _("This is the copy. Change what you like."))
    return redirect("segment-edit", pk=copy.pk)


@require_POST
@staff_view("segment.manage")
def segment_delete(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    segment = selectors.get_segment_for_actor(request.actor, pk)
    try:
        services.delete_segment(actor=request.actor, segment=segment)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect("segment-detail", pk=pk)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": segment.name})
    return redirect("segment-list")
