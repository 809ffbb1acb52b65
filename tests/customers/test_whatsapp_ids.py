"""WhatsApp knows a person by another id in each business portfolio; the sender's is used."""

import pytest

from customers.models import Channel, ContactPoint, Customer
from customers.services import note_whatsapp_id, update_customer
from marketing.core.tenancy import tenant_scope
from marketing.policy.models import ProviderAccount
from marketing.policy.services import set_default_account, update_account
from tests.factories.customers import CustomerFactory
from tests.factories.policy import make_account


@pytest.fixture
def salon(chain):
    return make_account("meta", name="Salon", portfolio="Salon", is_default=True)


@pytest.fixture
def spa(salon):
    return make_account("meta", name="Spa", portfolio="Spa", is_default=False)


@pytest.fixture
def asha(chain):
    return CustomerFactory(phone="", home_branch=chain.north)


def hear(chain, account, person, scoped_id):
    sender = ProviderAccount.objects.get(channel=Channel.WHATSAPP, is_default=True)
    note_whatsapp_id(
        actor=chain.actor(chain.owner),
        customer=person,
        value=scoped_id,
        heard_by=account.pk,
        is_senders=not account.is_of_another_portfolio(sender),
    )
    person.refresh_from_db()


def send_by(chain, account):
    set_default_account(actor=chain.actor(chain.owner), account=account)


def ids_of(person):
    points = ContactPoint.objects.filter(customer=person, kind="whatsapp")
    return (
        Customer.objects.get(pk=person.pk).whatsapp_id,
        {point.value: point.is_primary for point in points},
    )


def test_another_default_account_writes_by_the_ids_that_it_knows(chain, salon, spa, asha):
    hear(chain, salon, asha, "IN.salon")
    hear(chain, spa, asha, "IN.spa")
    assert ids_of(asha) == ("IN.salon", {"IN.salon": True, "IN.spa": False})
    send_by(chain, spa)
    assert ids_of(asha) == ("IN.spa", {"IN.salon": False, "IN.spa": True})
    send_by(chain, salon)
    assert ids_of(asha) == ("IN.salon", {"IN.salon": True, "IN.spa": False})


def test_who_is_unknown_to_the_new_sender_is_not_written_to_by_an_old_id(chain, salon, spa, asha):
    hear(chain, salon, asha, "IN.salon")
    version = asha.version
    send_by(chain, spa)
    assert ids_of(asha) == ("", {"IN.salon": False})
    assert Customer.objects.get(pk=asha.pk).version == version + 1


def test_an_id_that_nobody_is_known_to_have_heard_belongs_to_who_sent_until_now(
    chain, salon, spa, asha
):
    actor = chain.actor(chain.owner)
    update_customer(actor=actor, customer=asha, values={"whatsapp_id": "IN.imported"})
    send_by(chain, spa)
    assert ids_of(asha) == ("", {"IN.imported": False})
    send_by(chain, salon)
    assert ids_of(asha) == ("IN.imported", {"IN.imported": True})


def test_the_latest_of_several_ids_is_used(chain, salon, spa, asha):
    hear(chain, spa, asha, "IN.older")
    hear(chain, spa, asha, "IN.newer")
    send_by(chain, spa)
    assert ids_of(asha) == ("IN.newer", {"IN.older": False, "IN.newer": True})


def test_another_account_of_the_same_portfolio_changes_nothing(chain, salon, asha):
    second = make_account("meta", name="Second", portfolio="Salon", is_default=False)
    hear(chain, salon, asha, "IN.salon")
    version = asha.version
    send_by(chain, second)
    assert ids_of(asha) == ("IN.salon", {"IN.salon": True})
    assert Customer.objects.get(pk=asha.pk).version == version


def test_a_corrected_portfolio_counts_at_once(chain, salon, spa, asha):
    hear(chain, spa, asha, "IN.1")
    assert ids_of(asha)[0] == ""
    update_account(
        actor=chain.actor(chain.owner),
        account=spa,
        values={"portfolio": "Salon"},
        require_all=False,
    )
    assert ids_of(asha) == ("IN.1", {"IN.1": True})


def test_the_next_id_of_the_new_sender_leaves_the_old_one_known(chain, salon, spa, asha):
    hear(chain, salon, asha, "IN.salon")
    send_by(chain, spa)
    hear(chain, spa, asha, "IN.spa")
    assert ids_of(asha) == ("IN.spa", {"IN.salon": False, "IN.spa": True})


def test_another_chains_people_keep_theirs(chain, other_chain, salon, spa):
    with tenant_scope(other_chain.tenant.pk):
        theirs = CustomerFactory()
        actor = other_chain.actor(other_chain.owner)
        update_customer(actor=actor, customer=theirs, values={"whatsapp_id": "IN.9"})
    send_by(chain, spa)
    with tenant_scope(other_chain.tenant.pk):
        assert ids_of(theirs) == ("IN.9", {"IN.9": True})
