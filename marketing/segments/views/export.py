"""Taking the people of a segment away as a file."""

import uuid

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers.exports.pages import ask_for_kind, hand_out
from marketing.core import clock
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.segments import selectors


@require_http_methods(["GET", "POST"])
@staff_view("segment.export")
def segment_export(request: StaffRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Choose a kind of file, and get it: who is in the segment now, at the actor's branches."""
    segment = selectors.get_segment_for_actor(request.actor, pk)
    members = selectors.members_for_actor(request.actor, segment, now=clock.now())
    if request.method == "POST":
        chosen_by = {"segment_id": str(segment.pk)}
        return hand_out(request, members, chosen_by=chosen_by, file_name="segment")
    whom = _("Who is in “%(name)s” now, at your branches.") % {"name": segment.display_name}
    within = (segment.display_name, reverse("segment-detail", args=[segment.pk]))
    return ask_for_kind(request, members, whom=whom, within=within)
