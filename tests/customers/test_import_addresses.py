"""Whom a file means by an address: second numbers, addresses of merged people, changed ones."""

import pytest

from customers.models import ConsentRecord, Customer, ImportRow
from customers.services import (
    add_contact_point,
    merge_customers,
    opt_out,
)
from tests.customers.importing import check, take
from tests.factories.customers import CustomerFactory

PHONE, SECOND, THIRD = "+919820012341", "+919820012351", "+919820012361"
CONSENTED = {"consent_source": "paper_form", "consent_wording": "2024-01"}


@pytest.fixture
def owner(chain):
    return chain.actor(chain.owner)


@pytest.mark.parametrize(
    ("kind", "value", "header"),
    [("phone", SECOND, "Phone"), ("email", "second@x.in", "E-mail")],
)
def test_who_opted_out_does_not_come_back_by_a_second_address(owner, kind, value, header):
    known = CustomerFactory(phone=PHONE, email="first@x.in")
    add_contact_point(actor=owner, customer=known, kind=kind, value=value)
    opt_out(actor=owner, customer=known, source="staff")
    job = take(owner, f"Name,{header},WhatsApp consent\nAsha,{value},yes\n", **CONSENTED)
    assert Customer.objects.get().pk == known.pk
    known.consent.refresh_from_db()
    assert known.consent.marketing_opted_out
    assert job.result["consents_left_aside"] == 1


@pytest.mark.parametrize("whose", ["hers", "the line's"])
def test_a_yes_is_left_aside_beside_a_second_number_of_who_opted_out(owner, whose):
    refusing = CustomerFactory(phone=THIRD, email="")
    add_contact_point(actor=owner, customer=refusing, kind="phone", value=SECOND)
    opt_out(actor=owner, customer=refusing, source="staff")
    sharing = CustomerFactory(external_id="x1", phone=PHONE, email="")
    if whose == "hers":
        add_contact_point(actor=owner, customer=sharing, kind="phone", value=SECOND)
    line = f"x1,{PHONE if whose == 'hers' else SECOND},yes"
    job = take(owner, f"External id,Phone,WhatsApp consent\n{line}\n", **CONSENTED)
    assert job.result["consents_left_aside"] == 1
    assert not ConsentRecord.objects.filter(customer=sharing).exists()


@pytest.mark.parametrize("line", [f"Zoya,{SECOND},", "Zoya,,b@x.in"])
def test_addresses_of_somebody_merged_mean_whom_she_became_one_with(owner, line):
    keep = CustomerFactory(phone=PHONE, email="a@x.in")
    other = CustomerFactory(phone=SECOND, email="b@x.in")
    merge_customers(actor=owner, keep=keep, other=other, choices={})
    job = take(owner, f"Name,Phone,E-mail\n{line}\n")
    assert job.counts == {"unchanged": 1}
    assert Customer.objects.filter(status="active").count() == 1


def test_of_those_who_share_a_number_the_name_then_the_primary_one_decides(owner):
    mother = CustomerFactory(phone=PHONE, first_name="Asha", last_name="Rao")
    daughter = CustomerFactory(phone=THIRD, first_name="Usha", last_name="Rao")
    add_contact_point(actor=owner, customer=daughter, kind="phone", value=PHONE)

    def meant(name, phone):
        job = check(owner, f"Name,Phone\n{name},{phone}\n")
        row = ImportRow.objects.get(job=job)
        return row.problems or row.customer_id

    assert meant("Usha Rao", PHONE) == daughter.pk
    assert meant("Zoya", PHONE) == mother.pk
    for one in (mother, daughter):
        add_contact_point(actor=owner, customer=one, kind="phone", value=SECOND)
    assert meant("Usha Rao", SECOND) == daughter.pk
    assert meant("Zoya", SECOND) == ["ambiguous"]
