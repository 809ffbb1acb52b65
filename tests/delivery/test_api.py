"""The message log over HTTP: Module 11's shape, newest first, a page at a time."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from customers import services
from marketing.delivery.content_sent import content_sent
from marketing.delivery.models import Message
from marketing.delivery.services import freeze_run
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours


@pytest.fixture
def asha(chain):
    open_all_hours()
    make_sender()
    customer = CustomerFactory(first_name="Asha", home_branch=chain.north)
    for _ in range(3):
        freeze_run(run=make_run(), audience=everyone())
    return customer


def url(customer):
    return reverse("api-customer-messages", args=[customer.pk])


def as_staff(staff):
    client = Client()
    client.force_login(staff.user)
    return client


def test_it_works(chain, asha):
    answer = as_staff(chain.receptionist).get(url(asha)).json()
    assert answer["success"] is True
    assert answer["page"]["size"] == 3
    first = answer["data"][0]
    assert first["id"] == str(Message.objects.order_by("-pk").first().pk)
    assert first["contentSent"] == "Hi Asha, we have missed you. Come and see us soon!"
    assert first["recipientPhone"] == asha.phone
    assert first["recipientEmail"] is None
    assert (first["status"], first["state"]) == ("pending", "queued")
    assert first["messageType"] == "campaign"
    assert first["messageCost"] == "0.8631"


def test_it_pages(chain, asha):
    client = as_staff(chain.manager)
    first = client.get(url(asha), {"limit": 2}).json()
    second = client.get(url(asha), {"limit": 2, "cursor": first["page"]["next"]}).json()
    found = [row["id"] for page in (first, second) for row in page["data"]]
    assert len(found) == len(set(found)) == 3
    assert second["page"]["next"] is None


def test_queries_do_not_grow_with_the_messages(chain, asha, django_assert_max_num_queries):
    client = as_staff(chain.manager)
    with django_assert_max_num_queries(10):
        client.get(url(asha))


def test_nobody_else_sees_it(chain, other_chain, asha):
    assert Client().get(url(asha)).status_code == 401
    assert as_staff(other_chain.owner).get(url(asha)).status_code == 404
    unknown = reverse("api-customer-messages", args=[uuid.uuid4()])
    assert as_staff(chain.owner).get(unknown).status_code == 404


def test_the_panel_of_the_customers_page(chain, asha):
    page = as_staff(chain.manager).get(reverse("customer-detail", args=[asha.pk]))
    assert page.status_code == 200
    assert page.content.decode().count("<tr>") >= 3


def test_erasing_a_person_blanks_their_messages(chain, asha):
    exported = services.export_customer(actor=chain.actor(chain.owner), customer=asha)
    assert asha.phone in str(exported["messages"])
    services.erase_customer(actor=chain.actor(chain.owner), customer=asha)
    for message in Message.objects.filter(customer=asha):
        assert (message.address, message.variables) == ("", {})
        assert content_sent(message).body == ""
