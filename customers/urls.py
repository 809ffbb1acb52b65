from django.urls import path

from customers import views
from customers.exports.views import customer_list_export
from customers.imports.urls import urlpatterns as import_patterns

urlpatterns = [
    path("customers", views.customer_list, name="customer-list"),
    *import_patterns,
    path("customers/export", customer_list_export, name="customer-list-export"),
    path("customers/new", views.customer_new, name="customer-new"),
    path("customers/duplicates", views.duplicate_list, name="duplicate-list"),
    path(
        "customers/duplicates/<uuid:pk>/dismiss", views.duplicate_dismiss, name="duplicate-dismiss"
    ),
    path("customers/merges/<uuid:pk>/undo", views.merge_undo, name="merge-undo"),
    path("customers/<uuid:pk>", views.customer_detail, name="customer-detail"),
    path("customers/<uuid:pk>/edit", views.customer_edit, name="customer-edit"),
    path("customers/<uuid:pk>/consent", views.customer_consent, name="customer-consent"),
    path("customers/<uuid:pk>/timeline", views.customer_timeline, name="customer-timeline"),
    path("customers/<uuid:pk>/consent/proof", views.consent_proof, name="consent-proof"),
    path("customers/<uuid:pk>/merge", views.merge_choose, name="merge-choose"),
    path("customers/<uuid:pk>/merge/<uuid:other>", views.merge_compare, name="merge-compare"),
    path("customers/<uuid:pk>/notes", views.customer_note, name="customer-note"),
    path("customers/<uuid:pk>/notes/<uuid:note>", views.note_edit, name="note-edit"),
    path("customers/<uuid:pk>/notes/<uuid:note>/delete", views.note_delete, name="note-delete"),
    path("customers/<uuid:pk>/export", views.customer_export, name="customer-export"),
    path("customers/<uuid:pk>/erase", views.customer_erase, name="customer-erase"),
    path("p/<path:token>", views.preferences, name="preferences"),
    path("u/<path:token>", views.unsubscribe, name="unsubscribe"),
]
