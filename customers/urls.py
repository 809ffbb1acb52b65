from django.urls import path

from customers import views

urlpatterns = [
    path("customers", views.customer_list, name="customer-list"),
    path("customers/new", views.customer_new, name="customer-new"),
    path("customers/<uuid:pk>", views.customer_detail, name="customer-detail"),
    path("customers/<uuid:pk>/edit", views.customer_edit, name="customer-edit"),
    path("customers/<uuid:pk>/consent", views.customer_consent, name="customer-consent"),
    path("customers/<uuid:pk>/timeline", views.customer_timeline, name="customer-timeline"),
    path("customers/<uuid:pk>/notes", views.customer_note, name="customer-note"),
    path("customers/<uuid:pk>/export", views.customer_export, name="customer-export"),
    path("customers/<uuid:pk>/erase", views.customer_erase, name="customer-erase"),
    path("u/<path:token>", views.unsubscribe, name="unsubscribe"),
]
