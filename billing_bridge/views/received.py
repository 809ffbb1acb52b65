"""What other programs sent, what became of it, and doing it again."""

import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from billing_bridge import selectors, services
from billing_bridge.models import RawRow
from marketing.core.errors import Conflict
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.sentences import said

PAGE_SIZE = 25
LONGEST_SHOWN = 64 * 1024
OPERATIONS = {
    "events": gettext_lazy("Events"),
    "invoice": gettext_lazy("Bill"),
    "refund": gettext_lazy("Refund"),
    "void": gettext_lazy("Void bill"),
}
# What a row made, where the name on the wire would tell nobody.
MADE = {
    "accepted": gettext_lazy("Taken"),
    "duplicates": gettext_lazy("Known before"),
    "settledBy": gettext_lazy("Settled by a later one"),
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
    names, branches = selectors.senders(shown), selectors.branches_of(shown)
    context: dict[str, Any] = {
        "rows": [
            {
                "row": row,
                "what": _what(row),
                "where": " · ".join(filter(None, (_number(row), branches.get(row.branch_id, "")))),
                "sender": names[row.pk],
                "note": _note(row),
            }
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
        "number": _number(row),
        "branch": selectors.branches_of([row]).get(row.branch_id, ""),
        "sender": selectors.senders([row])[row.pk],
        "body": _readable(bytes(row.body)),
        "size": len(row.body),
        "faults": _faults(row),
        "made": [
            (MADE.get(name, name), value) for name, value in row.made.items() if value is not None
        ],
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
            why = said(row.error["message"])
            messages.error(request, _("It failed again: %(why)s") % {"why": why})
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


def _note(row: RawRow) -> str:
    """Why it failed, in a line."""
    refused = row.error.get("refused")
    if not refused:
        return said(row.error.get("message", ""))
    return ngettext("%(n)d event was not taken.", "%(n)d events were not taken.", refused) % {
        "n": refused
    }


def _number(row: RawRow) -> str:
    """The sender's own number, without the branch that leads the key of a bill."""
    branch, _colon, number = row.natural_key.partition(":")
    return number if branch == str(row.branch_id) else row.natural_key


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
            "message": said(error.get("message", "")),
            "fields": [
                f"{path}: {' '.join(map(said, faults))}"
                for path, faults in error.get("fields", {}).items()
            ],
        }
        for error in errors
    ]


def _id(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get("before", ""))
    except ValueError:
        return None
