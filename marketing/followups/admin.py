from django.contrib import admin

from marketing.core.admin import ReadOnlyAdmin
from marketing.followups.models import FollowupReminder


@admin.register(FollowupReminder)
class FollowupReminderAdmin(ReadOnlyAdmin):
    """Staff make and close them on their own page."""

    list_display = ("reminder_date", "staff", "customer", "branch", "status", "outcome")
    list_filter = ("status", "outcome")
    list_select_related = ("staff", "customer", "branch")
    ordering = ("-id",)
