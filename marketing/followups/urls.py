from django.urls import path

from marketing.followups import views

urlpatterns = [
    path("followups", views.followup_list, name="followup-list"),
    path("followups/inactive", views.inactive_list, name="followup-inactive"),
    path("followups/new/<uuid:customer>", views.followup_new, name="followup-new"),
    path("followups/<uuid:pk>/edit", views.followup_edit, name="followup-edit"),
    path("followups/<uuid:pk>/complete", views.followup_complete, name="followup-complete"),
    path("followups/<uuid:pk>/snooze", views.followup_snooze, name="followup-snooze"),
    path("followups/<uuid:pk>/dismiss", views.followup_dismiss, name="followup-dismiss"),
    path("followups/<uuid:pk>/reopen", views.followup_reopen, name="followup-reopen"),
    path("followups/<uuid:pk>/delete", views.followup_delete, name="followup-delete"),
]
