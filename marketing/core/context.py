"""What the page shell shows on every page."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from marketing.core.models import Role

# (label, url name, icon, permission); upper apps append theirs while they are loaded.
NAVIGATION: list[tuple[str, str, str, str]] = []
# The places where a role spends the day, by url name: they stand right behind Home.
AT_HAND: dict[str, Role] = {}


def chrome(request: HttpRequest) -> dict[str, Any]:
    """`staff`, `tenant`, `actor`, `nav` and `theme` for the shell."""
    actor = getattr(request, "actor", None)
    shell: dict[str, Any] = {"theme": request.COOKIES.get("theme", "auto"), "actor": actor}
    if actor is None or actor.staff is None:
        return shell
    here = request.path
    nav = []
    role = Role(actor.staff.role)
    for label, url_name, icon, permission in sorted(NAVIGATION, key=lambda e: _rank(e[1], role)):
        if actor.can(permission):
            url = reverse(url_name)
            active = here == url if url == reverse("home") else here.startswith(url)
            nav.append({"label": _(label), "url": url, "icon": icon, "active": active})
    return shell | {"staff": actor.staff, "tenant": actor.user.tenant, "nav": nav}


def _rank(url_name: str, role: Role) -> int:
    """Settings stand last, whatever was loaded after them."""
    if url_name == "home":
        return 0
    if url_name == "settings":
        return 3
    return 1 if AT_HAND.get(url_name) == role else 2
