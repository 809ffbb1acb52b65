from django.urls import path

from marketing.content import api

urlpatterns = [
    path("templates", api.Templates.as_view(), name="api-templates"),
    path("templates/whatsapp/submit", api.SubmitTemplate.as_view(), name="api-template-submit"),
    path("templates/<uuid:pk>", api.OneTemplate.as_view(), name="api-template"),
    path("templates/<uuid:pk>/preview", api.TemplatePreview.as_view(), name="api-template-preview"),
]
