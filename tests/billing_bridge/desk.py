"""The counter's page as a hand presses it: a bill's address, holding it, paying it."""

import re
from html import unescape
from urllib.parse import urlencode

from django.urls import reverse

from marketing.coupons.models import Reservation


def sheet(branch, *lines, **more):
    """The address of a bill: a line is a service and its quantity, price, discount and tax."""
    pairs = [("bill", more.pop("bill", "till-1")), ("branch", str(branch.pk))]
    for service, *rest in lines:
        texts = [*rest, *["1", "500.00", "", ""][len(rest) :]]
        pairs += zip("sqpdt", [str(service.pk), *texts], strict=True)
    return urlencode([*pairs, *more.items()])


def shown(answer, status=200):
    assert answer.status_code == status, answer.content
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def marked(page):
    """Fields that are shown as wrong, with what says why."""
    return dict(
        re.findall(r'id="([\w-]+)"[^>]*aria-invalid="true" aria-describedby="([\w-]+)"', page)
    )


def look(desk, query):
    return desk.get(f"{reverse('counter')}?{query}")


def hold(desk, query, **more):
    """Press Reserve on the page as it is; `seen` and `quote` may be of an older one."""
    words = look(desk, query).context["words"]
    form = {
        "sheet": query,
        "quote": words.hash if words else "",
        "seen": words.seen if words else "",
    }
    return desk.post(reverse("counter-reserve"), form | more)


def held(desk, query):
    answer = hold(desk, query)
    assert answer.status_code == 302, shown(answer, answer.status_code)
    return Reservation.objects.get(pk=answer.url.rsplit("/", 1)[1])


def press(desk, name, reservation, **form):
    return desk.post(reverse(f"counter-{name}", args=[reservation.pk]), form)


def paid(desk, query, **form):
    reservation = held(desk, query)
    answer = press(desk, "pay", reservation, **form)
    assert answer.status_code == 302, shown(answer, answer.status_code)
    reservation.refresh_from_db()
    return reservation
