"""The cards that other apps put on a customer's page."""

from django.urls import reverse

from customers import panels
from tests.factories.customers import CustomerFactory
from tests.factories.segments import SegmentFactory, where


def page(client, chain):
    asha = CustomerFactory(first_name="Asha", last_name="Rao", home_branch=chain.north)
    return client.get(reverse("customer-detail", args=[asha.pk])).content.decode()


def test_each_app_shows_what_it_knows(chain, login):
    SegmentFactory(name="Everybody here", rules=where("visit_count", "gte", 0))
    shown = page(login("manager"), chain)
    assert "Everybody here" in shown
    assert "Nothing has been sent to this customer yet." in shown


def test_a_card_is_neither_shown_nor_asked_for_without_its_permission(chain, login, monkeypatch):
    asked = []

    def content(actor, customer):
        asked.append(actor.label)
        return {}

    monkeypatch.setattr(panels, "_panels", [])
    template = "segments/_customer.html"
    panels.register("Only for owners", template, content, "budget.config")
    assert "Only for owners" not in page(login("manager"), chain)
    assert asked == []
    assert "Only for owners" in page(login("owner"), chain)
    assert asked == [chain.owner.name]
