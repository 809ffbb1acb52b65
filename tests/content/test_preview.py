"""What authors are shown of a mail is what its readers get."""

import pytest

from marketing.content.preview import preview
from tests.factories.policy import set_config

CONTENTS = {"en": {"subject": "Offer", "body": "Hi", "html": "<p>Hi</p>"}}
ADDRESS = "5 Park Street, Kolkata 700016"


def shown(purpose):
    set_config(postal_address=ADDRESS)
    return preview("email", CONTENTS, languages=["en"], language="en", purpose=purpose).rendered


@pytest.mark.parametrize("purpose", ["promotional", "service"])
def test_marketing_ends_with_its_sender_and_a_way_out(chain, purpose):
    mail = shown(purpose)
    for part in (mail.body, mail.html):
        assert f"{chain.tenant.name}, {ADDRESS}" in part
        assert "Unsubscribe" in part
        assert "/u/" in part


def test_a_receipt_does_not(chain):
    mail = shown("transactional")
    assert (mail.body, mail.html) == ("Hi", "<p>Hi</p>")
