"""The signed link by which a customer sees her points without a login."""

import base64
import binascii
import datetime as dt
import uuid

from django.conf import settings
from django.core import signing
from django.urls import reverse

# Long enough to look at a message again, too short for whoever finds it later.
OPEN_FOR = dt.timedelta(days=30)


def statement_url(tenant_id: uuid.UUID, customer_id: uuid.UUID) -> str:
    """Where she sees her points, for `OPEN_FOR`."""
    packed = base64.urlsafe_b64encode(tenant_id.bytes + customer_id.bytes).decode()
    return f"{settings.PUBLIC_BASE_URL}{reverse('points-public', args=[_signer().sign(packed)])}"


def read_statement_token(token: str) -> tuple[uuid.UUID, uuid.UUID]:
    """The chain and the customer. Raises ValueError when it is not ours or no longer open."""
    try:
        packed = base64.urlsafe_b64decode(_signer().unsign(token, max_age=OPEN_FOR))
    except (signing.BadSignature, binascii.Error) as error:
        raise ValueError("not an open link of ours") from error
    return uuid.UUID(bytes=packed[:16]), uuid.UUID(bytes=packed[16:32])


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="loyalty.statement", sep=".")
