from django.urls import path

from marketing.segments import api

urlpatterns = [
    path("segments", api.Segments.as_view(), name="api-segments"),
    path("segments/preview", api.SegmentPreview.as_view(), name="api-segment-preview"),
    path("segments/<uuid:pk>", api.OneSegment.as_view(), name="api-segment"),
    path(
        "segments/<uuid:pk>/customers",
        api.SegmentCustomers.as_view(),
        name="api-segment-customers",
    ),
    path("segments/<uuid:pk>/refresh", api.SegmentRefresh.as_view(), name="api-segment-refresh"),
]
