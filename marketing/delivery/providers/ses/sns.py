"""Amazon SNS's signature, which says that a notification is Amazon's and which topic's.

Canonical form by the SNS developer guide, "Verifying the signatures of Amazon SNS messages".
"""

import base64
import re
import urllib.request
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import load_pem_x509_certificate

SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
SIGNED["UnsubscribeConfirmation"] = SIGNED["SubscriptionConfirmation"]
HASHES: dict[str, HashAlgorithm] = {"1": SHA1(), "2": SHA256()}  # noqa: S303  SNS's version 1
HOST = r"https://sns\.[a-z0-9-]+\.amazonaws\.com/"
CERTIFICATE = re.compile(HOST + r"SimpleNotificationService-\w+\.pem")
SUBSCRIPTION = re.compile(HOST + r"\?Action=ConfirmSubscription&[\w&=%.:-]+")
FETCH_SECONDS = 5.0
LARGEST_CERTIFICATE = 20_000


def is_signed(message: Mapping[str, Any], base_url: str) -> bool:
    """Whether Amazon signed the message, or, outside Amazon, the server at `base_url`."""
    names = SIGNED.get(str(message.get("Type")))
    algorithm = HASHES.get(str(message.get("SignatureVersion")))
    url = str(message.get("SigningCertURL"))
    if names is None or algorithm is None or not is_at(CERTIFICATE, url, base_url):
        return False
    text = "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None)
    try:
        signature = base64.b64decode(str(message["Signature"]))
        _key(url).verify(signature, text.encode(), PKCS1v15(), algorithm)
    except (KeyError, ValueError, OSError, InvalidSignature):
        return False
    return True


def is_at(address: re.Pattern[str], url: str, base_url: str) -> bool:
    """Whether a URL is SNS's, or of the account's own server where that is not Amazon's."""
    if ".amazonaws.com" in base_url:
        return address.fullmatch(url) is not None
    return url.startswith(f"{base_url}/")


@lru_cache(maxsize=64)
def _key(url: str) -> rsa.RSAPublicKey:
    """The public key of the certificate at the address, fetched once."""
    with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer:  # noqa: S310  checked
        certificate = load_pem_x509_certificate(answer.read(LARGEST_CERTIFICATE))
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA certificate")
    return key
