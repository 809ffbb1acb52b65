"""What other programs sent, what became of it, and doing it again."""

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from billing_bridge import selectors, services
from billing_bridge.models import RawRow
from marketing.core.errors import Conflict
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view

PAGE_SIZE = 25
LONGEST_SHOWN = 64 * 1024
OPERATIONS = {
    "events": gettext_lazy("Events"),
    "invoice": gettext_lazy("Bill"),
    "refund": gettext_lazy("Refund"),
    "void": gettext_lazy("Void bill"),
}


@staff_view("operations.view")
@require_safe
def received_list(request: StaffRequest) -> HttpResponse:
    """Newest first; `?state=`, `?operation=`, `?q=` (the sender's number), `?before=` an id."""
    rows = selectors.rows_for_actor(request.actor).defer("body")
    state, operation = request.GET.get("state", ""), request.GET.get("operation", "")
    search, before = request.GET.get("q", "").strip()[:200], _id(request)
    if state in RawRow.State.values:
        rows = rows.filter(state=state)
    if operation in OPERATIONS:
        rows = rows.filter(operation=operation)
    if search:
        rows = rows.filter(natural_key__icontains=search.replace("\0", ""))
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    names = selectors.senders(shown)
    context: dict[str, Any] = {
        "rows": [
            {"row": row, "what": _what(row), "sender": names[row.pk], "error": row.error}
            for row in shown
        ],
        "states": RawRow.State.choices,
        "state": state,
        "operations": OPERATIONS.items(),
        "operation": operation,
        "search": search,
        "is_later_page": before is not None,
        "before": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "may_replay": request.actor.can("config.change"),
    }
    return render(request, "billing_bridge/received_list.html", context)


@staff_view("operations.view")
@require_safe
def received_detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    row = selectors.get_row_for_actor(request.actor, pk)
    may_replay = request.actor.can("config.change")
    context = {
        "row": row,
        "what": _what(row),
        "sender": selectors.senders([row])[row.pk],
        "body": _readable(bytes(row.body)),
        "size": len(row.body),
        "faults": _faults(row),
        "made": row.made.items(),
        "may_replay": may_replay and row.state != RawRow.State.APPLIED and not row.forgotten_at,
    }
    return render(request, "billing_bridge/received_detail.html", context)


@staff_view("config.change")
@require_POST
def received_replay(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    row = selectors.get_row_for_actor(request.actor, pk)
    try:
        row = services.replay_row(actor=request.actor, row_id=row.pk)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        if row.state == RawRow.State.APPLIED:
            messages.success(request, _("It is applied now."))
        else:
            messages.error(request, _("It failed again: %(why)s") % {"why": row.error["message"]})
    return redirect("received-detail", pk)


@staff_view("config.change")
@require_POST
def received_replay_all(request: StaffRequest) -> HttpResponse:
    """All that failed, of one operation or of every one."""
    operation = request.POST.get("operation", "")
    operation = operation if operation in OPERATIONS else ""
    services.ask_replay(actor=request.actor, operation=operation)
    messages.success(request, _("What failed is done again; this may take a few minutes."))
    return redirect("received-list")


def _what(row: RawRow) -> str:
    return str(OPERATIONS.get(row.operation, row.operation))


def _readable(body: bytes) -> str:
    """JSON in lines; what is none, or long, as it came."""
    text = body[:LONGEST_SHOWN].decode(errors="replace").replace("\0", "�")
    if len(body) > LONGEST_SHOWN:
        return f"{text}…"
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _faults(row: RawRow) -> list[dict[str, Any]]:
    """What was wrong, a line for each: of a call of events, each event that was refused."""
    errors = row.error.get("errors") or ([row.error] if row.error else [])
    return [
        {
            "place": error["index"] + 1 if "index" in error else "",
            "number": error.get("id", ""),
            "code": error.get("code", ""),
            "message": error.get("message", ""),
            "fields": [
                f"{path}: {' '.join(sentences)}"
                for path, sentences in error.get("fields", {}).items()
            ],
        }
        for error in errors
    ]


def _id(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get("before", ""))
    except ValueError:
        return None
