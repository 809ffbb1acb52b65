"""A yes in a file never undoes a refusal of whoever has the address."""

import csv
import io

import pytest

from customers import changed, consent_defaults, facts
from customers.imports import services
from customers.imports.report import error_file
from customers.models import ConsentRecord, Customer, ImportJob
from customers.services import (
    create_customer,
    merge_customers,
    opt_out,
    record_consent,
    undo_merge,
    update_customer,
)
from tests.customers.importing import check, take, work
from tests.factories.customers import CustomerFactory

PHONE, SECOND = "+919820012341", "+919820012351"
CONSENTED = {"consent_source": "paper_form", "consent_wording": "2024-01"}
HEADER = "External id,Name,Phone,WhatsApp consent,SMS consent,E-mail consent\n"


@pytest.fixture
def owner(chain):
    return chain.actor(chain.owner)


def agreed(**of):
    state = Customer.objects.get(**of).consent
    return (state.whatsapp_promotional, state.sms_promotional, state.email_promotional)


def test_who_opted_out_does_not_come_back_by_the_number_that_a_file_replaced(owner):
    known = CustomerFactory(external_id="x1", first_name="Asha", phone=PHONE)
    opt_out(actor=owner, customer=known, source="preference_centre")
    take(owner, f"External id,Phone\nx1,{SECOND}\n", rule="overwrite")
    points = known.contact_points.filter(kind="phone").values_list("value", "is_primary")
    assert dict(points) == {PHONE: False, SECOND: True}
    job = take(owner, f"Name,Phone,WhatsApp consent\nZoya,{PHONE},yes\n", **CONSENTED)
    assert Customer.objects.get().pk == known.pk
    assert (job.counts, job.result["consents_left_aside"]) == ({"unchanged": 1, "left_aside": 1}, 1)
    known.consent.refresh_from_db()
    assert known.consent.marketing_opted_out


def test_who_has_a_replaced_number_now_is_meant_by_it(owner):
    """That another had it before makes nothing ambiguous."""
    former = CustomerFactory(external_id="x1", phone=PHONE)
    take(owner, f"External id,Phone\nx1,{SECOND}\n", rule="overwrite")
    new = CustomerFactory(phone=PHONE, first_name="Zoya", email="")
    take(owner, f"Name,Phone,E-mail\nSomebody,{PHONE},s@x.in\n")
    new.refresh_from_db()
    former.refresh_from_db()
    assert (new.email, former.phone) == ("s@x.in", SECOND)
    assert Customer.objects.count() == 2


def test_a_number_that_comes_back_is_the_primary_one_again(owner):
    CustomerFactory(external_id="x1", phone=PHONE)
    for phone in (SECOND, PHONE):
        take(owner, f"External id,Phone\nx1,{phone}\n", rule="overwrite")
    points = Customer.objects.get().contact_points.filter(kind="phone")
    assert dict(points.values_list("value", "is_primary")) == {PHONE: True, SECOND: False}


def test_a_replaced_number_goes_along_when_two_become_one_and_come_apart(owner):
    keep = CustomerFactory(phone="+919820012361", first_name="Keep")
    other = CustomerFactory(external_id="x1", phone=PHONE)
    take(owner, f"External id,Phone\nx1,{SECOND}\n", rule="overwrite")
    merge = merge_customers(actor=owner, keep=keep, other=other, choices={})
    job = check(owner, f"Name,Phone\nZoya,{PHONE}\n")
    assert job.counts == {"unchanged": 1}
    undo_merge(actor=owner, merge=merge)
    points = other.contact_points.filter(kind="phone").values_list("value", "is_primary")
    assert dict(points) == {PHONE: False, SECOND: True}


@pytest.mark.parametrize(
    ("refuse", "left"),
    [
        ({"marketing_opted_out": True}, (False, False, False)),
        ({"whatsapp_consent": False}, (False, True, True)),
        ({"sms_promotional": False}, (True, False, True)),
        # A family shares the number, not the mailbox.
        ({"email_consent": False}, (True, True, True)),
    ],
)
def test_a_yes_to_a_number_whose_owner_refused_is_left_aside_there(owner, refuse, left):
    mother = CustomerFactory(
        external_id="x1",
        phone=PHONE,
        consent={"whatsapp_promotional": True, "sms_promotional": True, "email_promotional": True},
    )
    record_consent(actor=owner, customer=mother, changes=refuse, source="preference_centre")
    job = take(owner, f"{HEADER}x2,Zoya,{PHONE},yes,yes,yes\n", **CONSENTED)
    assert agreed(external_id="x2") == left
    missing = left != (True, True, True)
    assert job.result["consents_left_aside"] == missing
    assert job.counts.get("left_aside", 0) == missing


def test_the_owner_taking_it_back_opens_the_number_again(owner):
    mother = CustomerFactory(external_id="x1", phone=PHONE, consent={"sms_promotional": True})
    for value in (False, True):
        changes = {"sms_consent": value}
        record_consent(actor=owner, customer=mother, changes=changes, source="preference_centre")
    take(owner, f"{HEADER}x2,Zoya,{PHONE},,yes,\n", **CONSENTED)
    assert agreed(external_id="x2") == (False, True, False)


def test_the_dry_run_counts_them_and_the_error_file_says_why(owner):
    opt_out(actor=owner, customer=CustomerFactory(external_id="x1", phone=PHONE), source="staff")
    file = f"{HEADER}x2,Zoya,{PHONE[3:]},yes,,\nx3,Usha,{SECOND},yes,,\n,Bad,12,,,\n"
    job = check(owner, file, **CONSENTED)
    assert job.counts == {"new": 2, "invalid": 1, "left_aside": 1}
    assert job.reasons == {"phone": 1}
    text = "".join(error_file(job.tenant_id, job.pk)).removeprefix("\ufeff")
    _header, first, second = csv.reader(io.StringIO(text))
    assert first[:6] == ["x2", "Zoya", PHONE[3:], "yes", "", ""]
    assert first[6:] == [
        "2",
        "WhatsApp consent is left aside: whoever has this number or e-mail opted out before.",
    ]
    assert second[6] == "4"
    assert not Customer.objects.filter(external_id="x2").exists()


def test_the_error_file_has_the_cells_of_lines_that_mean_nobody_for_sure(owner):
    for name in ("Asha", "Usha"):
        CustomerFactory(phone=PHONE, first_name=name)
    job = check(owner, f"Name,Phone\nZoya,{PHONE[3:]}\n")
    text = "".join(error_file(job.tenant_id, job.pk)).removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(text)))[1][:2] == ["Zoya", PHONE[3:]]


@pytest.mark.parametrize("order", [1, -1])
def test_of_one_file_the_refusal_of_a_number_stands(owner, order):
    lines = [f"x1,Asha,{PHONE},no,,", f"x2,Zoya,{PHONE},yes,yes,"][::order]
    job = take(owner, HEADER + "\n".join(lines), **CONSENTED)
    assert agreed(external_id="x2") == (False, True, False)
    assert job.counts == {"new": 2, "left_aside": 1}


def test_who_opted_out_between_check_and_import_is_left_aside(owner):
    mother = CustomerFactory(external_id="x1", phone=PHONE)
    job = check(owner, f"{HEADER}x2,Zoya,{PHONE},yes,,\n", **CONSENTED)
    assert "left_aside" not in job.counts
    opt_out(actor=owner, customer=mother, source="preference_centre")
    services.start_import(actor=owner, job=job)
    work(job)
    assert ImportJob.objects.get().result["consents_left_aside"] == 1
    assert agreed(external_id="x2") == (False, False, False)


def test_an_entered_person_gets_no_assumed_consent_by_another_ones_second_number(
    owner, monkeypatch
):
    monkeypatch.setattr(consent_defaults, "assumed_channels", lambda: {"whatsapp"})
    known = CustomerFactory(external_id="x1", phone=PHONE)
    opt_out(actor=owner, customer=known, source="staff")
    take(owner, f"External id,Phone\nx1,{SECOND}\n", rule="overwrite")
    for phone, expected in ((PHONE, False), ("+919820012371", True)):
        made = create_customer(
            actor=owner, values={"first_name": "Zoya", "phone": phone}, source="counter"
        )
        assert made.consent.whatsapp_promotional is expected


def test_staff_who_mend_a_number_do_not_open_the_former_one(owner):
    values = {"first_name": "Asha", "phone": PHONE}
    known = create_customer(actor=owner, values=values, source="web")
    opt_out(actor=owner, customer=known, source="preference_centre")
    update_customer(actor=owner, customer=known, values={"phone": SECOND})
    take(owner, f"{HEADER}x2,Zoya,{PHONE},yes,,\n", **CONSENTED)
    assert not ConsentRecord.objects.filter(state="granted").exists()


def test_a_consent_from_a_file_has_the_person_judged_again(owner):
    known = CustomerFactory(phone=PHONE, first_name="Asha", consent=False)
    told = []
    changed._listeners.append(told.append)
    try:
        take(owner, f"Name,Phone,WhatsApp consent\nAsha,{PHONE},yes\n", **CONSENTED)
        facts.refresh_stale_facts()
    finally:
        changed._listeners.pop()
    assert [list(each) for each in told] == [[known.pk]]
