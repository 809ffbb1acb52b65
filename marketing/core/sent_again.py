"""A page that is sent again makes nothing twice.

A token in the form would not tell: who goes back gets the page anew, with a new token, and the
browser puts into it what was typed. So what was sent is compared.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise

from marketing.core import clock, idempotency
from marketing.core.actor import Actor
from marketing.core.templatetags.formats import relative_time


class Made(NamedTuple):
    """`is_new` is false where it was made `at` an earlier time, from the same content."""

    pk: uuid.UUID
    at: dt.datetime
    is_new: bool


class OnceMoreForm(forms.Form):
    """Asks for what may be wanted twice: `again` makes the second time something of its own."""

    again = forms.UUIDField(required=False, widget=forms.HiddenInput)

    @classmethod
    def once_more(cls, posted: QueryDict, made: Made, told: str | Promise) -> Self:
        """What was typed, to be sent again; `told` has `%(when)s` for when it was `made`."""
        data = posted.copy()
        data["again"] = str(uuid.uuid4())
        form = cls(data)
        form.add_error(None, str(told) % {"when": relative_time(made.at)})
        return form


def make_once(
    *,
    actor: Actor,
    operation: str,
    content: Mapping[str, Any],
    make: Callable[[], uuid.UUID],
) -> Made:
    """Make what a page asks for, unless the same person sent the same within `idempotency.KEPT`.

    `content` says all that is asked for, of whom included. Errors of `make` leave nothing kept.
    """
    told: list[Made] = []

    def work() -> tuple[int, Any]:
        told.append(Made(make(), clock.now(), is_new=True))
        return 201, {"id": str(told[0].pk), "at": told[0].at.isoformat()}

    body = json.dumps(content, sort_keys=True, default=str).encode()
    key = f"{operation}-{hashlib.sha256(body).hexdigest()}"
    _status, kept = idempotency.run_once(
        actor=actor, key=key, operation=operation, body=body, work=work
    )
    if told:
        return told[0]
    return Made(uuid.UUID(kept["id"]), dt.datetime.fromisoformat(kept["at"]), is_new=False)
