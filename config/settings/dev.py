"""`make run`: one machine, a generated secret kept beside the data, plain HTTP on loopback."""

from config.settings.base import *  # noqa: F403
from config.settings.local_secrets import local_secrets

DEBUG = True
SECRET_KEY, FIELD_KEYS = local_secrets()
SANDBOX_SECRET = SANDBOX_SECRET or SECRET_KEY[:32]  # noqa: F405
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
