"""Signed links that a person follows without a login."""

import base64
import binascii
import datetime as dt
import hmac
import uuid
from dataclasses import dataclass
from functools import cache, lru_cache

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import salted_hmac

from customers.models import Channel

# One byte of the token; only ever appended to.
_CHANNELS = ("", Channel.WHATSAPP, Channel.SMS, Channel.EMAIL)


# Long enough for an answer, too short for whoever finds the message later.
PREFERENCES_FOR = dt.timedelta(days=7)


@dataclass(frozen=True)
class Unsubscribe:
    """What an unsubscribe link names; an empty channel means all marketing."""

    tenant_id: uuid.UUID
    customer_id: uuid.UUID
    channel: str = ""

    @property
    def is_test(self) -> bool:
        """Whether it came in a test to staff, and names nobody."""
        return self.customer_id == NOBODY


# Whom the links of tests name, so that no member of staff unsubscribes the customer whose name the
# test shows.
NOBODY = uuid.UUID(int=0)
SALT = "customers.unsubscribe"


def _signer() -> signing.Signer:
    """Signs by the newest secret key and knows the older ones, so that links outlive a key."""
    return signing.Signer(salt=SALT, sep=".")


def unsubscribe_url(tenant_id: uuid.UUID, customer_id: uuid.UUID, channel: str = "") -> str:
    """The page where the person opts out; also takes RFC 8058 one-click posts. Never expires."""
    token = unsubscribe_token(Unsubscribe(tenant_id, customer_id, channel))
    return f"{settings.PUBLIC_BASE_URL}{_page()}{token}"


def unsubscribe_token(link: Unsubscribe) -> str:
    """The signed token of the link."""
    packed = link.tenant_id.bytes + link.customer_id.bytes + bytes([_CHANNELS.index(link.channel)])
    value = base64.urlsafe_b64encode(packed)
    # What `_signer` would sign, its key derived once: a mailing makes a million of these.
    mac = _begun_mac(settings.SECRET_KEY).copy()
    mac.update(value)
    return f"{value.decode()}.{signing.b64_encode(mac.digest()).decode()}"


@cache
def _page() -> str:
    """Where the page is, found without the pages of all other apps: senders never load them."""
    return reverse("unsubscribe", urlconf="customers.urls", args=["token"]).removesuffix("token")


@lru_cache(maxsize=4)
def _begun_mac(secret: str) -> hmac.HMAC:
    """The signer's MAC before anything went into it."""
    return salted_hmac(f"{SALT}signer", b"", secret, algorithm="sha256")


def read_unsubscribe_token(token: str) -> Unsubscribe:
    """What the token names. Raises ValueError when it is not one of ours."""
    try:
        packed = base64.urlsafe_b64decode(_signer().unsign(token))
    except (signing.BadSignature, binascii.Error) as error:
        raise ValueError("not a token of ours") from error
    return Unsubscribe(
        uuid.UUID(bytes=packed[:16]), uuid.UUID(bytes=packed[16:32]), _CHANNELS[packed[32]]
    )


def preferences_url(tenant_id: uuid.UUID, customer_id: uuid.UUID) -> str:
    """The page where the person says what she wants to get; for `PREFERENCES_FOR`."""
    packed = base64.urlsafe_b64encode(tenant_id.bytes + customer_id.bytes).decode()
    token = _preferences_signer().sign(packed)
    return f"{settings.PUBLIC_BASE_URL}{reverse('preferences', args=[token])}"


def read_preferences_token(token: str) -> Unsubscribe:
    """Whom the token names. Raises ValueError when it is not ours, `Expired` when it was."""
    try:
        packed = base64.urlsafe_b64decode(
            _preferences_signer().unsign(token, max_age=PREFERENCES_FOR)
        )
    except signing.SignatureExpired as error:
        raise Expired("this link is no longer open") from error
    except (signing.BadSignature, binascii.Error) as error:
        raise ValueError("not a token of ours") from error
    return Unsubscribe(uuid.UUID(bytes=packed[:16]), uuid.UUID(bytes=packed[16:32]))


class Expired(ValueError):
    """A link of ours that was good for a while."""


def _preferences_signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="customers.preferences", sep=".")
