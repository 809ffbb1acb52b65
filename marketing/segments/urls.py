from django.urls import path

from marketing.segments import views

urlpatterns = [
    path("segments", views.segment_list, name="segment-list"),
    path("segments/new", views.segment_new, name="segment-new"),
    path("segments/new/list", views.segment_new_list, name="segment-new-list"),
    path("segments/preview", views.segment_preview, name="segment-preview"),
    path("segments/preview/overlap", views.segment_overlap, name="segment-overlap"),
    path("segments/preview/panels", views.segment_panels, name="segment-panels"),
    path("segments/<uuid:pk>", views.segment_detail, name="segment-detail"),
    path("segments/<uuid:pk>/edit", views.segment_edit, name="segment-edit"),
    path("segments/<uuid:pk>/export", views.segment_export, name="segment-export"),
    path("segments/<uuid:pk>/refresh", views.segment_refresh, name="segment-refresh"),
    path("segments/<uuid:pk>/copy", views.segment_copy, name="segment-copy"),
    path("segments/<uuid:pk>/delete", views.segment_delete, name="segment-delete"),
]
