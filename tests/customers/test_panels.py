"""The cards that other apps put on a customer's page."""

from django.urls import reverse

from customers.panels import panels
from tests.factories.customers import CustomerFactory


def test_scripts_get_the_card_and_others_a_page_with_a_way_back(chain, client):
    client.force_login(chain.manager.user)
    asha = CustomerFactory(first_name="Asha", last_name="Rao", home_branch=chain.north)
    assert len(panels()) >= 2
    for panel in panels():
        address = reverse(panel.url_name, args=[asha.pk])
        card = client.get(address, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in card
        page = client.get(address).content.decode()
        assert f"<title>{panel.label} · Parlour</title>" in page
        assert reverse("customer-detail", args=[asha.pk]) in page
