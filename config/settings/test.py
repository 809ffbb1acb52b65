"""`make test`: fast password hashing, static files as they lie, no throttling by rate."""

import os
import re

from config.settings.base import *  # noqa: F403

SECRET_KEY = "only-for-tests-0123456789abcdefghijklmnopqrstuvwxyz"  # noqa: S105
FIELD_KEYS = ["ZmllbGQta2V5LW9ubHktZm9yLXRlc3RzLTEyMzQ1Njc="]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
AXES_ENABLED = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
API_CALLS_A_MINUTE = {"person": 0, "key": 0}
# Static files are found where they lie; nothing is collected for a test.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
# `cache.clear()` empties a database of the cache: each process of xdist has one of its own.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CACHES["default"]["LOCATION"] = re.sub(  # noqa: F405
    r"/1$",
    f"/{2 + WORKER}",
    CACHES["default"]["LOCATION"],  # noqa: F405
)
# Tasks are published into the air: a test that wants one done calls it, and the browser story
# runs real workers of its own.
CELERY_BROKER_URL = "memory://localhost/"
