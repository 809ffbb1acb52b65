"""Test messages to the phones and addresses of staff."""

import re

import pytest
from django.urls import reverse

from customers.models import Customer
from marketing.campaigns import services
from marketing.campaigns.selectors.progress import campaign_metrics
from marketing.content.models import TemplateVersion
from marketing.core import errors
from marketing.core.models import Role, Staff
from marketing.delivery.models import ContactLoad, Message, SendRun
from marketing.delivery.selectors import messages_of_customer
from marketing.policy.models import ProviderAccount
from tests.factories.campaigns import approved, make_campaign, make_ground
from tests.factories.content import TemplateFactory
from tests.factories.core import make_staff
from tests.factories.policy import set_config


@pytest.fixture(autouse=True)
def ground(chain, colleague):
    make_ground(chain.north, people=10)


@pytest.fixture
def ready(chain):
    return approved(chain.manager, chain.regional)


class TestTests:
    """A manager's own look at what people would get."""

    def test_one_goes_to_the_staff_members_own_phone(self, chain, manager, ready):
        Staff.objects.filter(pk=chain.manager.pk).update(phone="98200 55555")
        (message,) = services.send_test(
            actor=chain.actor(Staff.objects.get(pk=chain.manager.pk)), campaign=ready
        )
        assert message.address == "+919820055555"

    def test_one_goes_to_a_colleagues_phone(self, chain, manager, ready):
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

    @pytest.mark.parametrize("who", ["customer", "other branch", "gone", "other chain"])
    def test_tests_go_to_staff_only(self, chain, other_chain, scope, manager, ready, who):
        phone = "+919820077777"
        if who == "customer":
            Customer.objects.filter(pk=Customer.objects.first().pk).update(phone=phone)
        elif who == "other branch":
            elsewhere = make_staff(Role.RECEPTIONIST, chain.south)
            Staff.objects.filter(pk=elsewhere.pk).update(phone=phone)
        elif who == "gone":
            Staff.objects.filter(pk=chain.receptionist.pk).update(phone=phone, is_active=False)
        else:
            scope(other_chain.tenant.pk)
            Staff.objects.filter(pk=other_chain.manager.pk).update(phone=phone)
            scope(chain.tenant.pk)
        with pytest.raises(errors.ValidationFailed) as refusal:
            services.send_test(actor=manager, campaign=ready, phone=phone)
        assert "staff only" in refusal.value.fields["phone"][0]
        assert not Message.objects.exists()
        assert not SendRun.objects.filter(kind="test").exists()

    def test_in_the_asked_language(self, manager, ready):
        (message,) = services.send_test(
            actor=manager, campaign=ready, phone="98200 12345", language="hi"
        )
        assert message.language == "hi"
        with pytest.raises(errors.ValidationFailed) as refusal:
            services.send_test(actor=manager, campaign=ready, phone="98200 12345", language="fr")
        assert "language" in refusal.value.fields

    def test_with_made_up_values_nobody_need_be_known(self, manager, ready):
        Customer.objects.update(first_name="", last_name="")
        with pytest.raises(errors.ValidationFailed):
            services.send_test(actor=manager, campaign=ready, phone="98200 12345")
        (message,) = services.send_test(
            actor=manager, campaign=ready, phone="98200 12345", with_samples=True
        )
        assert message.variables["customer_name"] == "Asha"

    def test_costs_what_its_message_costs_and_counts_nowhere_else(self, chain, manager, everywhere):
        campaign, _sms = everywhere
        person = Customer.objects.first()
        sent = services.send_test(
            actor=manager, campaign=campaign, customer=person,
            phone="98200 12345", email="asha@example.com", language="hi",
        )  # fmt: skip
        cost = {message.channel: message.cost for message in sent}
        segments = {message.channel: message.segments for message in sent}
        assert cost["whatsapp"] > 0
        assert segments["sms"] >= 1
        assert cost["sms"] > 0
        assert {message.branch_id for message in sent} == {chain.north.pk}
        figures = campaign_metrics(campaign)
        assert figures["sentCount"] == figures["totalRecipients"] - 10 == 0
        assert not ContactLoad.objects.filter(customer=person).exists()
        assert not messages_of_customer(person).exists()

    @pytest.mark.parametrize("fault", ["no account", "switched off"])
    def test_is_refused_where_nothing_can_be_sent(self, manager, ready, fault):
        if fault == "no account":
            ProviderAccount.objects.update(is_active=False, is_default=False)
        else:
            set_config(whatsapp_enabled=False)
        with pytest.raises(errors.ChannelDisabled):
            services.send_test(actor=manager, campaign=ready, phone="98200 12345")
        assert not Message.objects.exists()


def test_it_is_offered_before_the_campaign_is_handed_in(chain, login):
    campaign = make_campaign(chain.manager)
    client = login("manager")
    review = client.get(reverse("campaign-edit", args=[campaign.pk, "review"])).content.decode()
    here = reverse("campaign-detail", args=[campaign.pk])
    assert f'href="{here}?test=1"' in review
    opened = re.compile('<dialog[^>]* id="test-send"[^>]* open')
    assert opened.search(client.get(f"{here}?test=1").content.decode())
    assert not opened.search(client.get(here).content.decode())
