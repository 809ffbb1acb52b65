"""Django's admin for super owners: their chain's rows, behind our own login page."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from marketing.core.actor import Actor
from marketing.core.errors import Forbidden


class ParlourAdmin(AdminSite):
    """Open to super owners, and to the operator's superuser, who belongs to no chain.

    Chains' rows show only inside a chain's scope: the superuser sees what is global (beat,
    logins locked out) and nothing of anybody's.
    """

    site_header = site_title = "Parlour"
    index_title = _("All data")
    index_template = "admin/chain_index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return is_owner(request) or is_operator(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseRedirect:
        """Send strangers to the login page and refuse everybody else."""
        if request.user.is_authenticated:
            raise Forbidden(str(_("The administration is for super owners.")))
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"is_operator": is_operator(request)}


def actor_of(request: HttpRequest) -> Actor | None:
    """Who asks; None for strangers and for whoever belongs to no chain."""
    actor: Actor | None = getattr(request, "actor", None)
    return actor


def is_owner(request: HttpRequest) -> bool:
    """Whether a super owner of the open tenant scope asks."""
    actor = actor_of(request)
    return actor is not None and actor.staff is not None and actor.can("config.change")


def is_operator(request: HttpRequest) -> bool:
    user = request.user
    return bool(
        user.is_authenticated and user.is_active and user.is_superuser and not user.tenant_id
    )
