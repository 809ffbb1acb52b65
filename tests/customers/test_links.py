"""Unsubscribe links are signed as Django's signer would, and lead to the page."""

import uuid

from django.core import signing
from django.urls import reverse

from customers.links import SALT, Unsubscribe, read_unsubscribe_token, unsubscribe_url

LINK = Unsubscribe(uuid.UUID(int=1), uuid.UUID(int=2), "email")


def made():
    return unsubscribe_url(LINK.tenant_id, LINK.customer_id, LINK.channel)


def test_a_link_leads_to_the_page(settings):
    token = made().rpartition("/")[2]
    assert made() == settings.PUBLIC_BASE_URL + reverse("unsubscribe", args=[token])
    assert read_unsubscribe_token(token) == LINK
    assert signing.Signer(salt=SALT, sep=".").sign(token.partition(".")[0]) == token


def test_a_new_key_signs_and_an_old_one_is_known(settings):
    old = made()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert made() != old
    assert {read_unsubscribe_token(link.rpartition("/")[2]) for link in (old, made())} == {LINK}
