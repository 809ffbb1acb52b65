from django.conf import settings
from django.urls import URLPattern, path

from marketing.core import account, styleguide, views

urlpatterns: list[URLPattern] = [
    path("theme", views.set_theme, name="set_theme"),
    path("me", account.own_page, name="own-page"),
    path("me/away", account.away, name="away"),
    path("me/away/<uuid:pk>/end", account.away_revoke, name="away-revoke"),
    path("notifications", account.notification_list, name="notification-list"),
    path("notifications/read", account.notification_read_all, name="notification-read-all"),
    path("notifications/<uuid:pk>", account.notification_open, name="notification-open"),
]
if settings.DEBUG:
    urlpatterns.append(path("styleguide", styleguide.styleguide, name="styleguide"))
