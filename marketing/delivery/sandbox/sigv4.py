"""Checking a request's AWS Signature, version 4, as Amazon's services do."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<scope>\d{8}/[\w-]+/[\w-]+/aws4_request), *"
    r"SignedHeaders=(?P<headers>[a-z0-9;_-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
SAFE = "-_.~"


class SignatureProblem(Exception):
    """``kind`` is Amazon's name of the error."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


def check(
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    secret_of: Callable[[str], str | None],
) -> str:
    """The access key that signed the request. Raises `SignatureProblem`.

    ``path`` and ``query`` are as they came; ``headers`` know no case.
    """
    given = headers.get("Authorization")
    if not given:
        raise SignatureProblem(
            "MissingAuthenticationTokenException", "Missing Authentication Token"
        )
    match = AUTHORIZATION.fullmatch(given)
    stamp = headers.get("X-Amz-Date", "")
    if match is None or not stamp:
        raise SignatureProblem("IncompleteSignatureException", "Authorization cannot be read")
    secret = secret_of(match["key"])
    if secret is None:
        raise SignatureProblem(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    names = match["headers"].split(";")
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in names]
    pairs = sorted(
        (quote(name, safe=SAFE), quote(value, safe=SAFE))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    canonical = "\n".join(
        [
            method,
            quote(path, safe="/" + SAFE),
            "&".join(f"{name}={value}" for name, value in pairs),
            *lines,
            "",
            match["headers"],
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = match["scope"]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signed = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, digest])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    expected = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
    if "host" not in names or not hmac.compare_digest(expected, match["signature"]):
        raise SignatureProblem(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        )
    return match["key"]
