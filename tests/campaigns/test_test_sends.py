"""Test messages to the staff member's own phone and address."""

import pytest

from customers.models import Customer
from marketing.campaigns import services
from marketing.content.models import TemplateVersion
from marketing.core import errors
from marketing.delivery.models import Message, SendRun
from tests.factories.campaigns import approved, make_campaign, make_ground
from tests.factories.content import TemplateFactory


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=10)


@pytest.fixture
def ready(chain):
    return approved(chain.manager, chain.regional)


class TestTests:
    """A manager's own look at what people would get."""

    def test_one_goes_to_the_staff_members_own_phone(self, chain, manager, ready):
        with pytest.raises(errors.ValidationFailed) as refusal:
            services.send_test(actor=manager, campaign=ready)
        assert "phone" in refusal.value.fields
        (message,) = services.send_test(actor=manager, campaign=ready, phone="98200 12345")
        assert (message.address, message.kind) == ("+919820012345", "test")
        ready.refresh_from_db()
        assert ready.status == "approved"
        with pytest.raises(errors.ValidationFailed):
            services.send_test(actor=manager, campaign=ready, phone="12")

    @pytest.fixture
    def everywhere(self, chain):
        """A campaign on all three channels; its SMS."""
        sms = TemplateFactory(sms=True)
        further = [
            {"channel": t.channel, "templateId": str(t.pk), "afterMinutes": 30}
            for t in (sms, TemplateFactory(email=True))
        ]
        campaign = make_campaign(chain.manager, channel_mode="cascade", further_steps=further)
        return campaign, sms

    def test_each_channel_has_its_own(self, manager, everywhere):
        campaign, _sms = everywhere
        sent = services.send_test(
            actor=manager, campaign=campaign, phone="98200 12345", email="asha@example.com"
        )
        assert [(message.channel, message.address) for message in sent] == [
            ("whatsapp", "+919820012345"),
            ("sms", "+919820012345"),
            ("email", "asha@example.com"),
        ]
        assert SendRun.objects.filter(kind="test").count() == 3

    @pytest.mark.parametrize("fault", ["unregistered", "too long"])
    def test_what_operators_refuse_is_refused_and_nothing_goes(self, manager, everywhere, fault):
        campaign, sms = everywhere
        person = Customer.objects.first()
        if fault == "unregistered":
            version = sms.versions.get()
            TemplateVersion.objects.filter(pk=version.pk).update(sms_ids={})
            expected = errors.SmsNotRegistered
        else:
            Customer.objects.filter(pk=person.pk).update(first_name="A" * 31)
            person.refresh_from_db()
            expected = errors.ValidationFailed
        with pytest.raises(expected):
            services.send_test(
                actor=manager, campaign=campaign, customer=person,
                phone="98200 12345", email="asha@example.com",
            )  # fmt: skip
        assert not Message.objects.exists()
        assert not SendRun.objects.exists()
