"""A deployment: every secret from the environment or a file, HTTPS only."""

from config.env import env, secret
from config.settings.base import *  # noqa: F403

SECRET_KEY = secret("SECRET_KEY")
FIELD_KEYS = secret("FIELD_KEYS").split(",")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
MIDDLEWARE = ["marketing.core.middleware.ForwardedMiddleware", *MIDDLEWARE]  # noqa: F405
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31536000
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="smtp://localhost:25")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL")
