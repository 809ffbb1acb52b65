from django.urls import path

from customers.api.catalogue import ServiceCategories, Services
from customers.api.consent import CustomerConsent, OptOut
from customers.api.customers import CustomerDetail, Customers, CustomerTimeline

urlpatterns = [
    path("customers", Customers.as_view(), name="api-customers"),
    path("customers/<uuid:pk>", CustomerDetail.as_view(), name="api-customer"),
    path("customers/<uuid:pk>/consent", CustomerConsent.as_view(), name="api-customer-consent"),
    path("customers/<uuid:pk>/timeline", CustomerTimeline.as_view(), name="api-customer-timeline"),
    path("marketing/opt-out", OptOut.as_view(), name="api-opt-out"),
    path("services", Services.as_view(), name="api-services"),
    path("service-categories", ServiceCategories.as_view(), name="api-service-categories"),
]
