"""What authors are shown of a mail is what its readers get."""

import pytest

from marketing.content.preview import preview
from tests.factories.policy import set_config

CONTENTS = {"en": {"subject": "Offer", "body": "Hi", "html": "<p>Hi</p>"}}
ADDRESS = "5 Park Street, Kolkata 700016"


def shown(purpose):
    set_config(postal_address=ADDRESS)
    return preview("email", CONTENTS, languages=["en"], language="en", purpose=purpose).rendered


def test_an_offer_ends_with_its_sender_and_a_way_out(chain):
    mail = shown("promotional")
    for part in (mail.body, mail.html):
        assert f"{chain.tenant.name}, {ADDRESS}" in part
        assert "Unsubscribe" in part
        assert "/u/" in part


@pytest.mark.parametrize("purpose", ["service", "transactional"])
def test_other_mail_does_not(chain, purpose):
    mail = shown(purpose)
    assert (mail.body, mail.html) == ("Hi", "<p>Hi</p>")
