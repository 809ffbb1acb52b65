from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    default_site = "marketing.core.admin_site.ParlourAdmin"
