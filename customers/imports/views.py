"""The pages of an import: upload, columns, dry run, progress, result."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.imports import selectors, services
from customers.imports.forms import ColumnsForm, UploadForm
from customers.imports.limits import TOO_LARGE
from customers.imports.report import error_file
from customers.imports.uploads import bounded_upload
from customers.imports.wording import problem_text
from customers.models import ImportJob, ImportRow
from marketing.core.errors import DomainError
from marketing.core.htmx import StaffRequest
from marketing.core.pages import part, staff_view

ROWS = 50
State = ImportJob.State


@require_safe
@staff_view("customer.import")
def import_list(request: StaffRequest) -> HttpResponse:
    jobs = selectors.imports_for_actor(request.actor)[:ROWS]
    return render(request, "customers/imports/list.html", {"jobs": jobs})


@bounded_upload
@require_http_methods(["GET", "POST"])
@staff_view("customer.import")
@csrf_protect
def import_new(request: StaffRequest) -> HttpResponse:
    """Send a file; what is too large is refused before it is read."""
    if request.method == "GET":
        return render(request, "customers/imports/upload.html", {"form": UploadForm()})
    is_too_large = request.is_too_large  # type: ignore[attr-defined]
    form = UploadForm({}) if is_too_large else UploadForm(request.POST, request.FILES)
    if is_too_large or request.is_too_large:  # type: ignore[attr-defined]
        form.errors.clear()
        form.add_error("file", str(TOO_LARGE))
        return render(request, "customers/imports/upload.html", {"form": form}, status=422)
    if form.is_valid():
        try:
            job = services.receive_import(actor=request.actor, file=form.cleaned_data["file"])
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("import-columns", job.pk)
    return render(request, "customers/imports/upload.html", {"form": form}, status=422)


@require_http_methods(["GET", "POST"])
@staff_view("customer.import")
def import_columns(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Say what the columns hold; saving it has the file checked."""
    job = selectors.get_import_for_actor(request.actor, pk)
    if job.state not in services.MAPPABLE:
        return redirect("import-detail", job.pk)
    form = ColumnsForm(request.POST or None, actor=request.actor, job=job)
    if form.is_valid():
        try:
            services.choose_columns(
                actor=request.actor, job=job, mapping=form.mapping, options=form.options
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("import-detail", job.pk)
    context = {"job": job, "form": form, "steps": _steps(job, 1)}
    status = 422 if form.errors else 200
    return render(request, "customers/imports/columns.html", context, status=status)


@require_safe
@staff_view("customer.import")
def import_detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    job = selectors.get_import_for_actor(request.actor, pk)
    if job.state == State.UPLOADED:
        return redirect("import-columns", job.pk)
    return render(request, "customers/imports/detail.html", _detail(job))


@require_safe
@staff_view("customer.import")
def import_live(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """How far it is."""
    job = selectors.get_import_for_actor(request.actor, pk)
    return part(
        request,
        "customers/imports/_live.html",
        _detail(job),
        title=job.file_name,
        within=[(_("Customers"), "/customers"), (_("Imports"), "/customers/imports")],
    )


@require_POST
@staff_view("customer.import")
def import_start(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Take the checked lines over."""
    job = selectors.get_import_for_actor(request.actor, pk)
    services.start_import(actor=request.actor, job=job)
    return redirect("import-detail", job.pk)


@require_POST
@staff_view("customer.import")
def import_cancel(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop before the next chunk."""
    job = selectors.get_import_for_actor(request.actor, pk)
    services.cancel_import(actor=request.actor, job=job)
    messages.success(request, _("The import is cancelled. What was taken over stays."))
    return redirect("import-detail", job.pk)


@require_safe
@staff_view("customer.import")
def import_errors(request: StaffRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """The lines that were not taken, with the reason beside each."""
    job = selectors.get_import_for_actor(request.actor, pk)
    answer = StreamingHttpResponse(
        error_file(request.actor.tenant_id, job.pk), content_type="text/csv"
    )
    answer["Content-Disposition"] = f'attachment; filename="not-imported-{job.pk}.csv"'
    return answer


def _detail(job: ImportJob) -> dict[str, Any]:
    counts = {value: job.counts.get(value, 0) for value in ImportRow.Outcome.values}
    reasons = sorted(job.reasons.items(), key=lambda pair: -pair[1])
    step = {State.MAPPED: 2, State.CHECKING: 2, State.CHECKED: 2, State.IMPORTING: 3}
    return {
        "job": job,
        "steps": _steps(job, step.get(State(job.state), 4)),
        "counts": counts,
        "to_import": counts["new"] + counts["changed"],
        "refused": counts["invalid"] + job.result.get("refused", 0),
        "left_aside": job.counts.get("left_aside", 0),
        "reasons": [(problem_text(code), count) for code, count in reasons],
        "result": {"created": 0, "updated": 0, "consents": 0, "consents_left_aside": 0}
        | job.result,
    }


def _steps(job: ImportJob, current: int) -> list[dict[str, str]]:
    labels = [_("File"), _("Columns"), _("Check"), _("Import")]
    return [
        {
            "label": label,
            "url": "",
            "state": "done" if at < current else "current" if at == current else "todo",
        }
        for at, label in enumerate(labels)
    ]
