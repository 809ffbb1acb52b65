"""Links in what leaves: in each channel, prepared once and signed for each message."""

import re
import uuid

import pytest

from customers.models import Channel
from marketing.content.links import compile_sent
from marketing.content.models import TemplateVersion
from marketing.delivery.dispatch.rendering import MessageRenderer
from marketing.delivery.links.codes import read_code
from marketing.delivery.models import TrackedLink
from tests.factories.content import TemplateFactory
from tests.factories.policy import set_config

BASE = "https://go.kesar.example"
MESSAGE = uuid.UUID("019aa5c1-2345-7abc-8def-0123456789ab")
LINK = "https://kesar.example/book"
EMAIL = {
    "subject": "Hello",
    "body": f"Book: {LINK}. Stop: {{{{ unsubscribe_url }}}}",
    "html": f'<p><a href="{LINK}">Book</a> <a href="{{{{ unsubscribe_url }}}}">Stop</a></p>',
}


@pytest.fixture(autouse=True)
def base(settings):
    settings.PUBLIC_BASE_URL = BASE


def version_of(channel, parts, *, tracks=True, **more):
    template = TemplateFactory(channel=channel, contents={"en": parts, **more})
    template.versions.update(tracks_links=tracks)
    return TemplateVersion.objects.select_related("template", "tenant").get(template=template)


class Marked:
    """What marking gives the renderer."""

    def __init__(self, version, language="en"):
        self.id = MESSAGE
        self.tenant_id = version.tenant_id
        self.customer_id = uuid.UUID(int=7)
        self.address = "+919812345678"
        self.language = language
        self.variables = {"customer_name": "Asha"}
        self.version_id = version.pk
        self.segments = 1
        self.tries = 1


def render(version, language="en"):
    renderer = MessageRenderer({version.pk: version})
    return renderer.render(Marked(version, language))


def code_in(text):
    return re.search(f"{BASE}/r/([0-9A-Za-z]+)", text)[1]


def test_email(chain):
    envelope, _segments = render(version_of(Channel.EMAIL, EMAIL))
    html, body = envelope.rendered.html, envelope.rendered.body
    code = code_in(body)
    assert f'href="{BASE}/r/{code}"' in html
    assert read_code(code).names(MESSAGE)
    assert LINK not in html + body
    # The way out is never ours to count.
    assert f'href="{envelope.unsubscribe_url}"' in html
    assert envelope.unsubscribe_url in body
    picture = html.split(f'<img src="{BASE}/o/', 1)[1].split(".gif", 1)[0]
    number = read_code(picture).link_id
    assert TrackedLink.objects.get(pk=number).source == ""


def test_email_without_html_has_a_picture_too(chain):
    envelope, _segments = render(version_of(Channel.EMAIL, {"subject": "Hi", "body": "Hello"}))
    assert f"{BASE}/o/" in envelope.rendered.html
    assert f"{BASE}/o/" not in envelope.rendered.body


def test_email_when_switched_off(chain):
    set_config(track_email_links=False, track_opens=False)
    envelope, _segments = render(version_of(Channel.EMAIL, EMAIL))
    assert LINK in envelope.rendered.html
    assert BASE + "/o/" not in envelope.rendered.html
    assert not TrackedLink.objects.exists()


def test_whatsapp_buttons_as_they_were_approved(chain):
    buttons = [
        {"type": "url", "text": "Book", "value": LINK},
        {"type": "quick_reply", "text": "Stop", "value": ""},
    ]
    parts = {"body": f"Hi {{{{ customer_name }}}}, see {LINK} now", "buttons": buttons}
    version = version_of(Channel.WHATSAPP, parts)
    components = compile_sent(version).compiled.meta_components("en")
    assert components[-1]["buttons"][0]["url"] == BASE + "/r/{{1}}"
    envelope, _segments = render(version)
    assert envelope.parameters is not None
    assert envelope.parameters.body == ("Asha",)
    assert read_code(envelope.parameters.buttons[0]).names(MESSAGE)
    assert LINK in envelope.rendered.body


def test_whatsapp_approved_before_stays_as_it_is(chain):
    parts = {"body": "Hello", "buttons": [{"type": "url", "text": "Book", "value": LINK}]}
    version = version_of(Channel.WHATSAPP, parts, tracks=False)
    assert compile_sent(version).compiled.meta_components("en")[-1]["buttons"][0]["url"] == LINK
    envelope, _segments = render(version)
    assert envelope.parameters is not None
    assert envelope.parameters.buttons == {}


def test_sms_counts_the_short_link(chain):
    long = "https://kesar.example/" + "a" * 150
    tracked = version_of(Channel.SMS, {"body": f"Book {long}"})
    plain = version_of(Channel.SMS, {"body": f"Book {long}"}, tracks=False)
    envelope, segments = render(tracked)
    assert segments == 1
    assert envelope.parameters is not None
    assert read_code(envelope.parameters.body[0]).names(MESSAGE)
    assert envelope.rendered.body == f"Book {BASE}/r/{envelope.parameters.body[0]}"
    assert render(plain)[1] == 2


@pytest.mark.parametrize(("country", "tracked"), [("IN", False), ("BD", True)])
def test_sms_in_india_stays_as_registered_unless_switched_on(chain, country, tracked):
    from marketing.content.services import create_template
    from marketing.core.actor import Actor
    from marketing.policy import config_cache
    from marketing.policy.models import MarketingConfig

    MarketingConfig.objects.all().delete()
    config_cache.invalidate()
    chain.tenant.country = country
    chain.tenant.save()
    template = create_template(
        actor=Actor.system(chain.tenant.pk),
        name="T",
        channel="sms",
        template_type="promotional",
        contents={"en": {"body": f"Book {LINK}"}},
    )
    assert template.versions.get().tracks_links is tracked


def test_a_second_language_uses_the_same_link(chain):
    version = version_of(
        Channel.SMS, {"body": f"Book {LINK}"}, hi={"body": f"बुक करें {LINK} या {LINK}/hi"}
    )
    english = code_in(render(version)[0].rendered.body)
    hindi = code_in(render(version, "hi")[0].rendered.body)
    assert english == hindi
    assert TrackedLink.objects.count() == 2


def test_links_are_made_once_and_read_in_one_statement(chain, django_assert_num_queries):
    versions = [version_of(Channel.SMS, {"body": f"Book {LINK}/{n}"}) for n in range(3)]
    by_id = {version.pk: version for version in versions}
    MessageRenderer(by_id)
    with django_assert_num_queries(1):
        MessageRenderer(by_id)
    assert TrackedLink.objects.count() == 3


def test_nothing_is_read_or_written_per_message(chain, django_assert_num_queries):
    version = version_of(Channel.EMAIL, EMAIL)
    renderer = MessageRenderer({version.pk: version})
    with django_assert_num_queries(0):
        renderer.render(Marked(version))
