"""Codes of an offer: made in batches, taken away as a file, taken back."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import error_page, staff_view
from marketing.core.sent_again import Made, make_once
from marketing.core.templatetags.formats import format_number
from marketing.core.tenancy import current_tenant
from marketing.coupons import selectors, services
from marketing.coupons.forms import CodesForm
from marketing.coupons.models import CodeBatch, Offer
from marketing.coupons.owners import owner_of
from marketing.coupons.pricing.opening import end_of
from marketing.coupons.selectors import code_batches, printing
from marketing.coupons.views.detail import offer_shell

SHOWN = 100
# Of cards to print; further ones are had by their number.
MOST_FILES = 20
MADE_BEFORE = gettext_lazy(
    "You had the same codes made %(when)s: see the list. Send again to make as many more."
)


@staff_view("coupon.manage")
@require_http_methods(["GET", "POST"])
def offer_codes(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The batches with how far they are, and one more to be made."""
    offer = selectors.get_offer_with_codes(request.actor, pk)
    form = CodesForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(request, offer, form)
        except DomainError as error:
            form.refuse(error)
        else:
            if made.is_new:
                messages.success(request, _("The codes are being made."))
                return redirect("offer-codes", offer.pk)
            form = CodesForm.once_more(request.POST, made, MADE_BEFORE)
    batches = list(code_batches.batches_with_uses(offer)[:SHOWN])
    files = {batch.pk: range(1, min(MOST_FILES, printing.files_of(batch)) + 1) for batch in batches}
    context = {
        "form": form,
        "batches": [(batch, files[batch.pk], _last_day(batch)) for batch in batches],
        "is_making": any(batch.state == CodeBatch.State.MAKING for batch in batches),
        "singles": code_batches.single_codes(offer)[:SHOWN],
        "owner": owner_of(offer.pk),
        "may_change": services.may_change(request.actor, selectors.body_of(offer)),
        **offer_shell(request, offer, "codes"),
    }
    if request.htmx and request.method == "GET":
        return render(request, "coupons/codes.html#batches", context)
    return render(request, "coupons/codes.html", context, status=422 if form.errors else 200)


def _make(request: StaffRequest, offer: Offer, form: CodesForm) -> Made:
    data = form.cleaned_data
    return make_once(
        actor=request.actor,
        operation="codes-new",
        content={"offer": offer.pk, **data},
        make=lambda: (
            services.make_codes(
                actor=request.actor,
                offer=offer,
                count=data["count"],
                prefix=data["prefix"],
                name=data["name"],
                symbols=data["symbols"],
                max_uses=data["max_uses"],
                expires_at=_end_of(data["expires_on"]),
            ).pk
        ),
    )


@staff_view("coupon.manage")
@require_POST
def batch_revoke(request: StaffRequest, pk: uuid.UUID, batch: uuid.UUID) -> HttpResponse:
    """Let the batch's codes open nothing any more."""
    found = _batch(request, pk, batch)
    try:
        revoked = services.revoke_codes(actor=request.actor, batch=found)
    except DomainError as error:
        return error_page(request, error)
    told = ngettext("%(count)s code is taken back.", "%(count)s codes are taken back.", revoked)
    messages.success(request, told % {"count": format_number(revoked)})
    return redirect("offer-codes", pk)


@staff_view("coupon.manage")
@require_safe
def batch_download(request: StaffRequest, pk: uuid.UUID, batch: uuid.UUID) -> StreamingHttpResponse:
    """The batch's codes as CSV."""
    found = _batch(request, pk, batch)
    answer = StreamingHttpResponse(
        code_batches.code_file(request.actor.tenant_id, found.pk),
        content_type="text/csv; charset=utf-8",
    )
    name = found.prefix or "codes"
    answer["Content-Disposition"] = f'attachment; filename="{name}-{found.pk}.csv"'
    return answer


def _batch(request: StaffRequest, pk: uuid.UUID, batch: uuid.UUID) -> CodeBatch:
    return selectors.get_batch(selectors.get_offer_with_codes(request.actor, pk), batch)


def _last_day(batch: CodeBatch) -> dt.date | None:
    """The day with whose end the batch's codes end; None where they end at some hour of it."""
    end = batch.expires_at and timezone.localtime(batch.expires_at)
    return end.date() - dt.timedelta(days=1) if end and end.time() == dt.time() else None


def _end_of(day: dt.date | None) -> dt.datetime | None:
    """The end of the day in the chain's zone."""
    if day is None:
        return None
    return end_of(day).replace(tzinfo=ZoneInfo(current_tenant().time_zone))
