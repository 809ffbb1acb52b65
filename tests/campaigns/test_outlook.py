"""What a campaign's page shows of its messages."""

from marketing.campaigns.selectors.outlook import message_previews
from tests.factories.campaigns import make_campaign
from tests.factories.content import TemplateFactory
from tests.factories.policy import set_config

LONG = "https://kesar.example/" + "a" * 150


def test_an_sms_is_counted_with_its_short_links(chain):
    template = TemplateFactory(channel="sms", contents={"en": {"body": f"Book {LONG}"}})
    campaign = make_campaign(chain.manager, channel="sms", template_id=template.pk)
    counted = {}
    for tracks in (True, False):
        template.versions.update(tracks_links=tracks)
        campaign.refresh_from_db()
        (shown,) = message_previews(campaign)
        assert LONG in shown.message.body
        counted[tracks] = shown.sms.segments
    assert counted == {True: 1, False: 2}


def test_an_offer_by_mail_is_shown_as_it_will_end(chain):
    set_config(postal_address="5 Park Street, Kolkata")
    template = TemplateFactory(
        channel="email", contents={"en": {"subject": "Hi", "body": "Hi", "html": "<p>Hi</p>"}}
    )
    campaign = make_campaign(chain.manager, channel="email", template_id=template.pk)
    (shown,) = message_previews(campaign)
    assert "5 Park Street, Kolkata" in shown.message.html
    assert "/u/" in shown.message.body
