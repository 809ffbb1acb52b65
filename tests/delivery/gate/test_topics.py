"""Who does not want to hear of a topic gets nothing about it, at the freeze and right before."""

import pytest

from customers.models import MessageTopic, TopicRefusal
from marketing.core.tenancy import tenant_scope
from marketing.delivery import selectors
from marketing.delivery.dispatch import worker
from marketing.delivery.models import Message
from marketing.delivery.services import freeze_run
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours


@pytest.fixture
def offers(chain):
    return MessageTopic.objects.create(name="Offers")


def refuse(customer, topic):
    TopicRefusal.objects.create(customer=customer, topic=topic)


def reason(customer, topic, purpose="promotional", channel="whatsapp"):
    """The reason with which she is skipped; the page of reasons must say the same."""
    make_sender(channel)
    run = make_run(TemplateFactory(channel=channel, topic=topic), purpose=purpose)
    freeze_run(run=run, audience=everyone())
    blocking = [
        verdict.code
        for verdict in selectors.explain(
            customer=customer, channel=channel, purpose=purpose, topic_id=topic and topic.pk
        )
        if verdict.blocks and verdict.code != "outside_window"
    ]
    found = Message.objects.get(run=run, customer=customer).reason
    assert blocking == [found] * bool(found)
    return found


@pytest.mark.parametrize("channel", ["whatsapp", "sms", "email"])
@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("promotional", "no_consent"), ("service", "no_consent"), ("transactional", "")],
)
def test_a_refused_topic(asha, offers, channel, purpose, expected):
    open_all_hours()
    refuse(asha, offers)
    assert reason(asha, offers, purpose, channel) == expected


@pytest.mark.parametrize("has_topic", [True, False])
def test_another_topic_and_no_topic_do_not_count(asha, offers, has_topic):
    refuse(asha, MessageTopic.objects.create(name="Events"))
    assert reason(asha, offers if has_topic else None) == ""


def test_another_persons_refusal_does_not_count(asha, offers):
    refuse(CustomerFactory(), offers)
    assert reason(asha, offers) == ""


def test_a_refusal_between_freeze_and_send_counts(live_chain, vendor, settings):
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender()
        offers = MessageTopic.objects.create(name="Offers")
        asha, bina = CustomerFactory.create_batch(2, home_branch=live_chain.north)
        run = make_run(TemplateFactory(topic=offers))
        freeze_run(run=run, audience=everyone())
        refuse(asha, offers)
    worker.run()
    with tenant_scope(live_chain.tenant.pk):
        left = Message.objects.get(run=run, customer=asha)
        assert (left.state, left.reason) == ("skipped", "no_consent")
        assert Message.objects.get(run=run, customer=bina).state == "sent"
    assert len(vendor.asked) == 1
