"""The pages on which staff find and merge duplicates."""

import pytest
from django.urls import reverse

from customers import services
from customers.models import Customer, CustomerMerge, DuplicatePair
from customers.views import merging
from marketing.core.tenancy import tenant_scope
from tests.factories.customers import CustomerFactory
from tests.page_queries import questions

LIST = reverse("duplicate-list")


@pytest.fixture
def pair(chain):
    people = [
        CustomerFactory(
            first_name=name, last_name="Sharma", phone="+919876543210", home_branch=chain.north
        )
        for name in ("Asha", "Aasha")
    ]
    assert services.find_duplicates() == 1
    return people


def compare(keep, other):
    return reverse("merge-compare", args=[keep.pk, other.pk])


def test_a_manager_finds_compares_merges_and_undoes(pair, login):
    asha, aasha = pair
    client = login("manager")
    page = client.get(LIST).text
    assert "Same phone" in page
    assert compare(asha, aasha) in page
    assert "Aasha" in client.get(compare(asha, aasha)).text
    answer = client.post(compare(asha, aasha), {"choice_first_name": "other"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/customers/{asha.pk}")
    asha.refresh_from_db()
    assert asha.first_name == "Aasha"
    moved = client.get(reverse("customer-detail", args=[aasha.pk]))
    assert (moved.status_code, moved.headers["Location"]) == (302, f"/customers/{asha.pk}")
    page = client.get(LIST).text
    assert "Merged lately" in page
    client.post(reverse("merge-undo", args=[CustomerMerge.objects.get().pk]))
    assert set(Customer.objects.values_list("status", flat=True)) == {"active"}


def test_two_people_are_not_suggested_again(pair, login):
    client = login("manager")
    known = DuplicatePair.objects.get()
    assert client.post(reverse("duplicate-dismiss", args=[known.pk])).status_code == 302
    assert services.find_duplicates() == 0
    assert "Nobody looks like a duplicate" in client.get(LIST).text


def test_a_strange_choice_is_refused_on_the_page(pair, login):
    answer = login("manager").post(compare(*pair), {"choice_phone": "both"})
    assert answer.status_code == 400
    assert "Choose one of the two." in answer.text


def test_what_was_merged_meanwhile_is_refused(pair, login, manager):
    asha, aasha = pair
    services.merge_customers(actor=manager, keep=asha, other=aasha, choices={})
    assert login("manager").post(compare(asha, aasha)).status_code == 404


def test_the_other_row_is_looked_up(pair, login):
    asha, aasha = pair
    url = reverse("merge-choose", args=[asha.pk])
    assert compare(asha, aasha) in login("manager").get(url).text
    assert "Nobody found" in login("manager").get(url, {"q": "nobody"}).text


def test_receptionists_may_not_merge(pair, login):
    client = login("receptionist")
    assert client.get(LIST).status_code == 403
    assert client.post(compare(*pair)).status_code == 403
    assert "Duplicates" not in client.get(reverse("customer-list")).text


def test_pairs_of_other_branches_and_chains_do_not_show(pair, login, chain, other_chain):
    Customer.objects.update(home_branch=chain.west)
    known = DuplicatePair.objects.get()
    client = login("manager")
    assert "Same phone" not in client.get(LIST).text
    assert client.post(reverse("duplicate-dismiss", args=[known.pk])).status_code == 404
    with tenant_scope(other_chain.tenant.pk):
        theirs = CustomerFactory()
    assert client.get(compare(pair[0], theirs)).status_code == 404


@pytest.mark.parametrize("count", [1, 6])
def test_the_list_takes_the_same_queries_however_long(login, chain, count):
    for number in range(count):
        for _ in range(2):
            CustomerFactory(
                first_name="Asha", email=f"a{number}@example.com", home_branch=chain.north
            )
    services.find_duplicates()
    assert DuplicatePair.objects.count() == count
    asked, _fragments = questions(login("manager"), LIST)
    assert len(asked) == 5, "\n".join(asked)


def test_whoever_may_merge_sees_the_merge_and_may_undo_it(pair, login, chain):
    asha, aasha = pair
    Customer.objects.update(home_branch=chain.west)
    client = login("manager")
    assert client.post(compare(asha, aasha)).status_code == 302
    made = CustomerMerge.objects.get()
    undo = reverse("merge-undo", args=[made.pk])
    assert undo in client.get(LIST).text
    assert client.post(undo).status_code == 302
    assert set(Customer.objects.values_list("status", flat=True)) == {"active"}


def test_every_merge_that_can_be_undone_is_in_the_list(chain, login, manager, monkeypatch):
    monkeypatch.setattr(merging, "MERGES", 2)
    for _ in range(3):
        keep, other = CustomerFactory(), CustomerFactory()
        services.merge_customers(actor=manager, keep=keep, other=other, choices={})
    newest_first = [
        reverse("merge-undo", args=[pk])
        for pk in CustomerMerge.objects.order_by("-pk").values_list("pk", flat=True)
    ]
    client = login("manager")
    page = client.get(LIST)
    assert [url in page.text for url in newest_first] == [True, True, False]
    page = client.get(LIST, {"before": page.context["next_before"]})
    assert [url in page.text for url in newest_first] == [False, False, True]
    assert page.context["next_before"] is None
    assert client.get(LIST, {"before": "nothing"}).status_code == 200
