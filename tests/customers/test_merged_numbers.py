"""The other systems go on calling somebody by her number after she was merged into another."""

import pytest

from customers import services
from customers.models import Customer, ImportRow
from marketing.core.errors import ValidationFailed
from tests.customers.importing import check, take
from tests.factories.customers import CustomerFactory

PHONE = "+919820012341"


@pytest.fixture
def owner(chain):
    return chain.actor(chain.owner)


@pytest.fixture
def merged(owner):
    """Merges "old" into whom it is given, and gives the merged one."""

    def merge(keep):
        gone = CustomerFactory(external_id="old", first_name="Gone", phone="", email="")
        services.merge_customers(actor=owner, keep=keep, other=gone, choices={})
        return gone

    return merge


@pytest.mark.parametrize("rule", ["fill", "overwrite"])
@pytest.mark.parametrize("own_number", ["kept", None])
def test_a_line_with_it_changes_whom_she_became_one_with(owner, merged, own_number, rule):
    keep = CustomerFactory(external_id=own_number, first_name="Asha", phone=PHONE, email="")
    gone = merged(keep)
    job = take(owner, "External id,Name,E-mail\nold,Asha,a@b.in\n", rule=rule)
    assert (job.counts, job.result["updated"]) == ({"changed": 1}, 1)
    keep.refresh_from_db()
    gone.refresh_from_db()
    assert (keep.email, keep.external_id) == ("a@b.in", own_number)
    assert (gone.email, gone.external_id) == ("", "old")
    assert check(owner, "External id,Name,E-mail\nold,Asha,a@b.in\n", rule=rule).counts == {
        "unchanged": 1
    }


def test_lines_of_both_are_one(owner, merged):
    keep = CustomerFactory(external_id="kept", first_name="Asha", phone=PHONE)
    merged(keep)
    job = take(owner, "External id,Name,Tags\nkept,Asha,red\nold,Asha,blue\n")
    assert job.counts == {"changed": 1, "duplicate": 1}
    keep.refresh_from_db()
    assert (keep.external_id, sorted(keep.tags)) == ("kept", ["blue", "red"])
    assert Customer.objects.count() == 2


def test_a_line_with_her_own_id_too(owner, merged):
    keep = CustomerFactory(first_name="Asha", phone=PHONE)
    gone = merged(keep)
    job = check(owner, f"Parlour id,Name\n{gone.pk},Asha\n")
    assert ImportRow.objects.get(job=job).customer_id == keep.pk


def test_it_is_no_news_to_whom_it_leads(owner, merged):
    keep = CustomerFactory(external_id="kept", first_name="Asha", phone=PHONE)
    merged(keep)
    values = {"external_id": "old", "email": "a@b.in"}
    services.update_customer(actor=owner, customer=keep, values=values)
    keep.refresh_from_db()
    assert (keep.external_id, keep.email) == ("kept", "a@b.in")


def test_nobody_else_can_have_it(owner, merged):
    merged(CustomerFactory(first_name="Asha", phone=PHONE))
    other = CustomerFactory(external_id="other")
    for write in (
        lambda values: services.update_customer(actor=owner, customer=other, values=values),
        lambda values: services.create_customer(
            actor=owner, values=values | {"first_name": "New"}, source="api"
        ),
    ):
        with pytest.raises(ValidationFailed) as refused:
            write({"external_id": "old"})
        assert set(refused.value.fields) == {"external_id"}
    assert check(owner, f"Parlour id,External id\n{other.pk},old\n").reasons == {"id_taken": 1}
