from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from marketing.campaigns.demo import organisation
from marketing.core import health

demo_logins = [
    {"role": role, "username": username, "password": organisation.PASSWORD}
    for username, role in (organisation.logins() if settings.DEBUG else [])
]
urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    # Before the many pages: a till waits for the answer, and patterns are tried one by one.
    path("api/v1/", include("config.api_urls")),
    path(
        "login",
        auth.LoginView.as_view(extra_context={"demo_logins": demo_logins}),
        name="login",
    ),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("password/change", auth.PasswordChangeView.as_view(), name="password_change"),
    path("password/changed", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("password/reset", auth.PasswordResetView.as_view(), name="password_reset"),
    path("password/sent", auth.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path(
        "password/reset/<uidb64>/<token>",
        auth.PasswordResetConfirmView.as_view(),
        name="password_reset_confirm",
    ),
    path("password/done", auth.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("", include("marketing.core.urls")),
    path("", include("billing_bridge.urls")),
    path("", include("marketing.campaigns.urls")),
    path("", include("marketing.followups.urls")),
    path("", include("marketing.referrals.urls")),
    path("", include("marketing.loyalty.urls")),
    path("", include("marketing.coupons.urls")),
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
        SpectacularSwaggerSplitView.as_view(
            url_name="schema", authentication_classes=[], permission_classes=[]
        ),
    ),
]
handler404 = "marketing.core.pages.not_found"
handler500 = "marketing.core.pages.server_error"
