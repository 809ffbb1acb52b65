from django.urls import path

from customers.imports import views

urlpatterns = [
    path("customers/imports", views.import_list, name="import-list"),
    path("customers/imports/new", views.import_new, name="import-new"),
    path("customers/imports/<uuid:pk>", views.import_detail, name="import-detail"),
    path("customers/imports/<uuid:pk>/columns", views.import_columns, name="import-columns"),
    path("customers/imports/<uuid:pk>/live", views.import_live, name="import-live"),
    path("customers/imports/<uuid:pk>/start", views.import_start, name="import-start"),
    path("customers/imports/<uuid:pk>/cancel", views.import_cancel, name="import-cancel"),
    path("customers/imports/<uuid:pk>/errors", views.import_errors, name="import-errors"),
]
