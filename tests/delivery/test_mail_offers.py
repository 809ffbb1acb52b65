"""Mails as the worker renders them: offers end with a way out and the sender's address."""

import uuid
from types import SimpleNamespace

import pytest

from marketing.content.models import TemplateVersion
from marketing.core.models import Branch
from marketing.delivery.dispatch.rendering import MessageRenderer
from tests.factories.content import TemplateFactory
from tests.factories.policy import set_config


@pytest.fixture
def render(chain):
    template = TemplateFactory(
        channel="email", contents={"en": {"subject": "Offer", "body": "Hi", "html": "<p>Hi</p>"}}
    )
    version = TemplateVersion.objects.select_related("template", "tenant").get(template=template)
    marked = SimpleNamespace(
        id=uuid.UUID(int=5),
        tenant_id=chain.tenant.pk,
        customer_id=uuid.UUID(int=7),
        address="asha@example.com",
        language="en",
        variables={},
        version_id=version.pk,
        segments=1,
        tries=1,
    )

    def rendered(**options):
        return MessageRenderer({version.pk: version}, **options).render(marked)[0]

    return rendered


def test_an_offer(chain, render):
    set_config(postal_address="5 Park Street, Kolkata 700016")
    envelope = render()
    for part in (envelope.rendered.body, envelope.rendered.html):
        assert f"{chain.tenant.name}, 5 Park Street, Kolkata 700016" in part
        assert envelope.unsubscribe_url in part
    assert envelope.is_promotional


def test_without_an_address_of_the_chain_the_first_salons_stands_for_it(chain, render):
    Branch.objects.filter(pk=chain.north.pk).update(address="1 Hill Road, Shillong")
    assert "1 Hill Road, Shillong" in render().rendered.body
    Branch.objects.update(address="")
    assert chain.tenant.name not in render().rendered.body


def test_a_receipt_is_left_as_it_is(chain, render):
    set_config(postal_address="5 Park Street, Kolkata 700016", track_opens=False)
    envelope = render(purpose="transactional")
    assert (envelope.rendered.body, envelope.rendered.html) == ("Hi", "<p>Hi</p>")
    assert not envelope.is_promotional


def test_a_reminder_has_a_way_out_but_is_no_offer(chain, render):
    envelope = render(purpose="service")
    for part in (envelope.rendered.body, envelope.rendered.html):
        assert part.count(envelope.unsubscribe_url) == 1
    assert not envelope.is_promotional
