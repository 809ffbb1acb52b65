"""Encryption of provider credentials: Fernet under `FIELD_KEYS`, newest key first."""

import json
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import models


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])


def encrypt(value: Any) -> bytes:
    return _fernet().encrypt(json.dumps(value).encode())


def decrypt(token: bytes) -> Any:
    return json.loads(_fernet().decrypt(bytes(token)))


class EncryptedJSONField(models.BinaryField):
    """A JSON value kept encrypted. It cannot be searched, and its `repr` shows nothing."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else decrypt(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        encrypted = None if value is None else encrypt(value)
        return super().get_db_prep_value(encrypted, connection, prepared)
