from django.urls import path

from marketing.followups.api import FollowupDetail, Followups, InactiveCustomers

urlpatterns = [
    path("staff/followups", Followups.as_view(), name="api-followups"),
    path("staff/followups/<uuid:pk>", FollowupDetail.as_view(), name="api-followup"),
    path("staff/inactive-customers", InactiveCustomers.as_view(), name="api-inactive-customers"),
]
