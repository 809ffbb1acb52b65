"""Notes about a customer: each mends what she wrote herself."""

import pytest
from django.urls import reverse

from customers import services
from customers.models import CustomerNote
from marketing.core.errors import Forbidden
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from tests.factories.customers import CustomerFactory


@pytest.fixture
def note(chain, manager):
    customer = CustomerFactory(home_branch=chain.north)
    return services.add_note(actor=manager, customer=customer, text="likes chai")


def page(name, note):
    return reverse(f"note-{name}", args=[note.customer_id, note.pk])


def test_the_author_mends_and_deletes_her_note(note, login):
    client = login("manager")
    assert "likes chai" in client.get(page("edit", note)).text
    assert client.post(page("edit", note), {"text": " likes coffee "}).status_code == 302
    note.refresh_from_db()
    assert note.text == "likes coffee"
    assert note.edited_at
    assert "edited" in client.get(reverse("customer-detail", args=[note.customer_id])).text
    assert client.post(page("delete", note)).status_code == 302
    assert not CustomerNote.objects.exists()
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["customer.note", "customer.change_note", "customer.delete_note"]


def test_a_note_without_words_is_refused(note, login):
    assert login("manager").post(page("edit", note), {"text": " "}).status_code == 422
    note.refresh_from_db()
    assert note.text == "likes chai"


def test_saving_it_unchanged_does_nothing(note, manager):
    services.change_note(actor=manager, note=note, text="likes chai")
    note.refresh_from_db()
    assert note.edited_at is None


def test_somebody_elses_note_stays(note, login, chain):
    client = login("receptionist")
    for answer in (
        client.post(page("edit", note), {"text": "x"}),
        client.post(page("delete", note)),
    ):
        assert answer.status_code in (403, 422)
    assert (
        page("edit", note)
        not in client.get(reverse("customer-detail", args=[note.customer_id])).text
    )
    note.refresh_from_db()
    assert note.text == "likes chai"
    with pytest.raises(Forbidden):
        services.delete_note(actor=chain.actor(chain.owner), note=note)


def test_a_note_of_another_chain_or_customer_is_not_found(note, login, other_chain):
    other = CustomerFactory()
    address = reverse("note-delete", args=[other.pk, note.pk])
    assert login("manager").post(address).status_code == 404
    with tenant_scope(other_chain.tenant.pk):
        theirs = CustomerFactory()
        foreign = CustomerNote.objects.create(customer=theirs, text="theirs")
    assert login("manager").post(page("delete", foreign)).status_code == 404
