"""What customers itself knows of a person's history."""

from collections.abc import Iterator

from django.db.models import F, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import rules, timeline
from customers.imports import consents
from customers.models import Channel, ConsentRecord, Customer, Purchase, Purpose
from customers.timeline import TimelineEntry
from marketing.core.actor import Actor

CHUNK = 100
# Of a bill, after what was refunded.
LEFT = F("purchases__total") - F("purchases__refunded")
FINALISED = Q(purchases__status=Purchase.Status.FINALISED)
SOURCES = {
    "staff": gettext_lazy("Entered by staff"),
    "counter": gettext_lazy("At the counter"),
    "api": gettext_lazy("From another system"),
    "import": gettext_lazy("Imported"),
    "customer_request": gettext_lazy("The customer asked"),
    "preference_centre": gettext_lazy("Preference page"),
    "unsubscribe_link": gettext_lazy("Unsubscribe link"),
    "manual": gettext_lazy("Entered by staff"),
    "erasure": gettext_lazy("Erased"),
    "provider": gettext_lazy("Through the messaging app"),
    "visit_talk": gettext_lazy("Said so at the counter"),
    "phone_call": gettext_lazy("Said so on the phone"),
    "in_writing": gettext_lazy("In writing"),
    "merge": gettext_lazy("Merged with another customer"),
    "separation": gettext_lazy("A merge was undone"),
    **consents.SOURCES,
}


def register() -> None:
    """Called when the app is loaded."""
    timeline.register_source("visits", visits)
    timeline.register_source("consent", consent)


def visits(customer: Customer, actor: Actor) -> Iterator[TimelineEntry]:
    """Visits with what was paid on them."""
    rows = (
        customer.visits.select_related("branch", "staff")
        .annotate(paid=Sum(LEFT, filter=FINALISED))
        .order_by("-visited_at", "-id")
    )
    for visit in rows.iterator(chunk_size=CHUNK):
        yield TimelineEntry(
            id=visit.pk,
            at=visit.visited_at,
            type="visit",
            title=_("Visit at %(branch)s") % {"branch": visit.branch.name},
            branch_name=visit.branch.name,
            amount=visit.paid,
            by=visit.staff.name if visit.staff else "",
        )


def consent(customer: Customer, actor: Actor) -> Iterator[TimelineEntry]:
    """The lines of the consent ledger."""
    rows = customer.consent_records.select_related("user__staff").order_by("-at", "-id")
    for record in rows.iterator(chunk_size=CHUNK):
        yield TimelineEntry(
            id=record.pk,
            at=record.at,
            type="consent",
            title=describe_consent(record),
            channel=record.channel,
            status=record.state,
            by=author_of(record),
        )


def describe_consent(record: ConsentRecord) -> str:
    """A line of the ledger in words."""
    if not record.channel:
        return record.get_state_display()
    what = {"channel": Channel(record.channel).label}
    if record.state == ConsentRecord.State.WITHDRAWN:
        if record.purpose == Purpose.PROMOTIONAL:
            return _("No more promotions on %(channel)s") % what
        if record.purpose == Purpose.SERVICE:
            return _("No more service messages on %(channel)s") % what
        return _("No more messages on %(channel)s") % what
    if record.basis == rules.ASSUMED:
        return _("Consent to %(channel)s assumed") % what
    if record.purpose == Purpose.PROMOTIONAL:
        return _("Agreed to promotions on %(channel)s") % what
    if record.purpose == Purpose.SERVICE:
        return _("Agreed to service messages on %(channel)s") % what
    return _("Agreed to messages on %(channel)s") % what


def author_of(record: ConsentRecord) -> str:
    """Who wrote it down, or how it reached us."""
    staff = getattr(record.user, "staff", None)
    source = SOURCES.get(record.source, record.source)
    return f"{staff.name} · {source}" if staff else str(source)
