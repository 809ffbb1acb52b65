"""The project's addresses with the style guide, which otherwise stands in development only."""

from django.urls import path

from config.urls import handler404, urlpatterns
from marketing.core.styleguide import styleguide

__all__ = ["handler404", "urlpatterns"]
urlpatterns = [*urlpatterns, path("styleguide", styleguide, name="styleguide")]
