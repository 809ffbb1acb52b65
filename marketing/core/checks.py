"""Settings that would only fail later, said at the start."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SHORTEST_SECRET = 32


@register(Tags.security)
def field_keys(**options: Any) -> list[CheckMessage]:
    """Provider credentials need at least one key to be kept under."""
    hint = (
        "python -c 'from cryptography.fernet import Fernet as F; print(F.generate_key().decode())'"
    )
    if not settings.FIELD_KEYS:
        return [Error("FIELD_KEYS is empty.", hint=hint, id="parlour.E001")]
    for position, key in enumerate(settings.FIELD_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            message = f"Key {position} of FIELD_KEYS is not a Fernet key."
            return [Error(message, hint=hint, id="parlour.E002")]
    return []


@register(Tags.security)
def secret_key(**options: Any) -> list[CheckMessage]:
    """Sessions and signed links are as safe as this is long."""
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        message = f"SECRET_KEY has fewer than {SHORTEST_SECRET} characters."
        return [Error(message, id="parlour.E003")]
    return []


@register(Tags.database, deploy=True)
def owner_role(**options: Any) -> list[CheckMessage]:
    """Only the owner may migrate; the role that serves must be another."""
    owner = settings.DATABASES.get("owner")
    if owner is None:
        hint = "Set DATABASE_OWNER_URL where manage.py migrate runs."
        return [Warning("No owner role is configured.", hint=hint, id="parlour.W001")]
    if owner["USER"] == settings.DATABASES["default"]["USER"]:
        return [Error("DATABASE_URL and DATABASE_OWNER_URL name one role.", id="parlour.E004")]
    return []
