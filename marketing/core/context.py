"""What the page shell shows on every page."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

# (label, url name, icon, permission); upper apps append theirs while they are loaded.
NAVIGATION: list[tuple[str, str, str, str]] = []


def chrome(request: HttpRequest) -> dict[str, Any]:
    """`staff`, `tenant`, `actor`, `nav` and `theme` for the shell."""
    actor = getattr(request, "actor", None)
    shell: dict[str, Any] = {"theme": request.COOKIES.get("theme", "auto"), "actor": actor}
    if actor is None or actor.staff is None:
        return shell
    here = request.path
    nav = []
    # Settings stand last, whatever was loaded after them.
    for label, url_name, icon, permission in sorted(NAVIGATION, key=lambda e: e[1] == "settings"):
        if actor.can(permission):
            url = reverse(url_name)
            active = here == url if url == reverse("home") else here.startswith(url)
            nav.append({"label": _(label), "url": url, "icon": icon, "active": active})
    return shell | {"staff": actor.staff, "tenant": actor.user.tenant, "nav": nav}
