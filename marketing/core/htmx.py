"""Request types of the HTML views."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from marketing.core.actor import Actor


class StaffRequest(HttpRequest):
    """A request behind `@staff_view`: the actor is a staff member."""

    actor: Actor
    htmx: HtmxDetails
