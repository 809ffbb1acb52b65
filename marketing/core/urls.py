from django.conf import settings
from django.urls import URLPattern, path

from marketing.core import styleguide, views

urlpatterns: list[URLPattern] = [path("theme", views.set_theme, name="set_theme")]
if settings.DEBUG:
    urlpatterns.append(path("styleguide", styleguide.styleguide, name="styleguide"))
