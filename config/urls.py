from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from marketing.core import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("login", auth.LoginView.as_view(extra_context={"debug": settings.DEBUG}), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("password/", include("django.contrib.auth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("", include("marketing.core.urls")),
    path("", include("marketing.campaigns.urls")),
    path("", include("marketing.delivery.urls")),
    path("", include("marketing.segments.urls")),
    path("", include("marketing.content.urls")),
    path("", include("marketing.policy.urls")),
    path("", include("customers.urls")),
    path(
        "api/schema",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="schema",
    ),
    path(
        "api/docs",
        SpectacularSwaggerView.as_view(
            url_name="schema", authentication_classes=[], permission_classes=[]
        ),
    ),
    path("api/v1/", include("config.api_urls")),
]
handler404 = "marketing.core.pages.not_found"
