from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_bridge import services
from billing_bridge.models import RawPerson, RawRow
from marketing.core.admin import ReadOnlyAdmin, owner_of
from marketing.core.errors import Conflict


@admin.register(RawRow)
class RawRowAdmin(ReadOnlyAdmin):
    list_display = (
        "received_at",
        "source",
        "operation",
        "natural_key",
        "state",
        "tries",
        "applied_at",
    )
    list_filter = ("state", "source", "operation")
    search_fields = ("natural_key", "idempotency_key")
    ordering = ("-id",)
    exclude = ("body",)
    show_full_result_count = False
    actions = ["do_again"]

    @admin.action(description=gettext_lazy("Do again what failed"), permissions=["view"])
    def do_again(self, request: HttpRequest, rows: QuerySet[RawRow]) -> None:
        """At most a page of them, as the list offers."""
        applied = 0
        for row in rows.order_by("pk")[: self.list_per_page]:
            try:
                done = services.replay_row(actor=owner_of(request), row_id=row.pk)
            except Conflict as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
            else:
                applied += done.state == RawRow.State.APPLIED
        self.message_user(request, _("%(n)d are applied.") % {"n": applied})


@admin.register(RawPerson)
class RawPersonAdmin(ReadOnlyAdmin):
    list_display = ("row_id", "customer")
    list_select_related = ("customer",)
    show_full_result_count = False
