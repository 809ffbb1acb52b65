from django.urls import path

from marketing.content.views import detail, editor, link_panel, lists, ready

urlpatterns = [
    path("templates", lists.template_list, name="template-list"),
    path("templates/new", editor.template_new, name="template-new"),
    path("templates/ready", ready.template_ready, name="template-ready"),
    path("templates/preview", editor.template_preview, name="template-preview"),
    path("templates/<uuid:pk>", detail.template_detail, name="template-detail"),
    path("templates/<uuid:pk>/edit", editor.template_edit, name="template-edit"),
    path("templates/<uuid:pk>/mail", detail.template_mail, name="template-mail"),
    path("templates/<uuid:pk>/copy", detail.template_copy, name="template-copy"),
    path("templates/<uuid:pk>/links", link_panel.template_links, name="template-links"),
    path(
        "templates/<uuid:pk>/links/check",
        link_panel.template_links_check,
        name="template-links-check",
    ),
    path("templates/<uuid:pk>/submit", detail.template_submit, name="template-submit"),
    path("templates/<uuid:pk>/deactivate", detail.template_deactivate, name="template-deactivate"),
]
