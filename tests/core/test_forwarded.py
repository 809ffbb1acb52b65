"""Whose address it is, where everybody comes through a proxy."""

import pytest
from django.http import HttpResponse

from marketing.core.middleware import ForwardedMiddleware


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, not an address", "10.0.0.2"),
        ("2001:db8::7", "2001:db8::7"),
        ("", "10.0.0.2"),
        (None, "10.0.0.2"),
    ],
)
def test_the_proxys_word_is_taken_and_no_other(rf, forwarded, address):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = rf.get("/", headers=headers, REMOTE_ADDR="10.0.0.2")
    seen = ForwardedMiddleware(lambda asked: HttpResponse(asked.META["REMOTE_ADDR"]))(request)
    assert seen.content.decode() == address
