"""Whom a file means, what it changes, and what it may never do."""

import datetime as dt

import pytest

from customers.imports import selectors, services, tasks, worker
from customers.models import (
    ConsentRecord,
    Customer,
    ImportJob,
    ImportPart,
    ImportRow,
    StaleFacts,
)
from customers.services import erase_customer, opt_out, record_consent, update_customer
from marketing.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from tests.customers.importing import OPTIONS, check, send, take, work
from tests.factories.customers import CustomerFactory

PHONE = "+919820012341"
CONSENTED = {"consent_source": "paper_form", "consent_wording": "2024-01"}


@pytest.fixture
def owner(chain):
    return chain.actor(chain.owner)


def many(count, name="Asha"):
    return "Name,Phone\n" + "".join(f"{name} {n},98{n:07}1\n" for n in range(count))


def test_what_is_empty_is_filled_and_nothing_else(owner):
    known = CustomerFactory(phone=PHONE, first_name="Asha", last_name="", email="", tags=["VIP"])
    job = take(owner, f'Name,Phone,E-mail,Tags\nOther Name,{PHONE},a@b.in,"vip, new"\n')
    known.refresh_from_db()
    assert (known.first_name, known.last_name, known.email) == ("Asha", "Name", "a@b.in")
    assert known.tags == ["VIP", "new"]
    assert known.version == 2
    assert job.result["updated"] == 1
    assert set(known.contact_points.values_list("value", flat=True)) == {PHONE, "a@b.in"}
    assert StaleFacts.objects.filter(customer_id=known.pk).exists()


def test_overwriting_takes_what_the_file_says_but_empty_deletes_nothing(owner):
    known = CustomerFactory(external_id="x1", phone=PHONE, first_name="Asha", last_name="Rao")
    take(owner, "External id,First name,Last name,Phone\nx1,Usha,,9820012351\n", rule="overwrite")
    known.refresh_from_db()
    assert (known.first_name, known.last_name, known.phone) == ("Usha", "Rao", "+919820012351")
    points = known.contact_points.filter(kind="phone").values_list("value", "is_primary")
    assert dict(points) == {PHONE: False, "+919820012351": True}


def test_the_other_systems_number_goes_before_phone_before_email(owner):
    numbered = CustomerFactory(external_id="x1", phone="+919820012351")
    phoned = CustomerFactory(phone=PHONE, email="p@x.in")
    mailed = CustomerFactory(phone="", email="m@x.in")
    job = check(
        owner,
        f"External id,Phone,E-mail,Name\nx1,{PHONE},,A\n,{PHONE},m@x.in,B\n,,m@x.in,C\n"
        f"x2,9820012351,,D\n",
    )
    means = dict(ImportRow.objects.filter(job=job).values_list("line", "customer_id"))
    assert means == {2: numbered.pk, 3: phoned.pk, 4: mailed.pk, 5: None}


def test_of_a_family_with_one_phone_the_one_of_that_name_is_meant(owner):
    mother = CustomerFactory(phone=PHONE, first_name="Asha", last_name="Rao")
    CustomerFactory(phone=PHONE, first_name="Usha", last_name="Rao")
    job = check(owner, f"Name,Phone\nasha RAO,{PHONE}\n")
    assert ImportRow.objects.get(job=job).customer_id == mother.pk
    assert check(owner, f"Name,Phone\nZoya,{PHONE}\n").reasons == {"ambiguous": 1}


@pytest.mark.parametrize(("wins", "name"), [("last", "Usha"), ("first", "Asha")])
def test_the_same_person_in_several_lines_becomes_one(owner, wins, name):
    job = take(
        owner,
        "First name,Phone,E-mail,Tags,External id\n"
        "Asha,9820012341,a@b.in,red,x1\nUsha,+91 98200 12341,,blue,\nZoya,9820012351,,,\n",
        repeats=wins,
    )
    assert job.counts == {"new": 2, "duplicate": 1}
    one = Customer.objects.get(phone=PHONE)
    assert (one.first_name, one.email, sorted(one.tags)) == (name, "a@b.in", ["blue", "red"])
    assert one.external_id == "x1"


def test_an_import_gives_no_consent_of_its_own(owner):
    take(owner, "Name,Phone\nAsha,9820012341\n")
    state = Customer.objects.get().consent
    assert not (state.whatsapp_promotional)
    assert not (state.sms_service)
    assert not (state.email_basis)
    assert not ConsentRecord.objects.exists()


def test_consent_columns_need_a_source(owner):
    job = send(owner, "Name,Phone,WhatsApp consent\nAsha,9820012341,yes\n")
    with pytest.raises(ValidationFailed) as refusal:
        services.choose_columns(actor=owner, job=job, mapping=job.mapping, options=OPTIONS)
    assert set(refusal.value.fields) == {"consent_source", "consent_wording"}
    assert ImportJob.objects.get().state == "uploaded"


def test_stated_consent_stands_in_the_ledger_with_its_proof(owner):
    job = take(
        owner,
        "Name,Phone,WhatsApp consent,SMS offers\nAsha,9820012341,हाँ,no\n",
        consent_date="2024-05-01",
        **CONSENTED,
    )
    state = Customer.objects.get().consent
    assert (state.whatsapp_promotional, state.whatsapp_basis) == (True, "explicit")
    assert not state.sms_promotional
    record = ConsentRecord.objects.get()
    assert (record.source, record.wording_version) == ("paper_form", "2024-01")
    assert record.reason == f"2024-05-01; import {job.pk}, people.csv, line 2"
    assert record.user == owner.user
    assert job.result["consents"] == 1


def refuse_all(owner, known):
    opt_out(actor=owner, customer=known, source="staff")


def stop_whatsapp(owner, known):
    changes = {"whatsapp_consent": False}
    record_consent(actor=owner, customer=known, changes=changes, source="provider")


@pytest.mark.parametrize("refuse", [refuse_all, stop_whatsapp])
def test_who_said_no_is_not_brought_back(owner, refuse):
    known = CustomerFactory(phone=PHONE)
    refuse(owner, known)
    known.refresh_from_db()
    before = (known.consent.marketing_opted_out, known.consent.whatsapp_promotional)
    lines = ConsentRecord.objects.count()
    job = take(owner, f"Name,Phone,WhatsApp consent,Opted out\nAsha,{PHONE},yes,no\n", **CONSENTED)
    known.consent.refresh_from_db()
    assert (known.consent.marketing_opted_out, known.consent.whatsapp_promotional) == before
    assert ConsentRecord.objects.count() == lines
    assert job.result["consents_left_aside"] == 1


def test_an_erased_person_comes_back_without_consent(owner):
    erase_customer(actor=owner, customer=CustomerFactory(phone=PHONE))
    job = take(owner, f"Name,Phone,WhatsApp consent\nAsha,{PHONE},yes\n", **CONSENTED)
    back = Customer.objects.get(phone=PHONE)
    assert not back.consent.whatsapp_promotional
    assert job.result["consents_left_aside"] == 1


def test_whoever_is_erased_after_the_check_stays_erased(owner):
    known = CustomerFactory(phone=PHONE)
    job = check(owner, f"Name,Phone,Tags\nAsha,{PHONE},new\n")
    erase_customer(actor=owner, customer=known)
    services.start_import(actor=owner, job=job)
    work(job)
    assert not Customer.objects.filter(phone=PHONE).exists()
    assert ImportJob.objects.get().result["refused"] == 1


def test_opting_out_is_taken_from_a_file(owner):
    known = CustomerFactory(phone=PHONE)
    take(owner, f"Name,Phone,Opted out\nAsha,{PHONE},yes\n")
    known.consent.refresh_from_db()
    assert known.consent.marketing_opted_out


def test_a_tag_makes_a_list_of_everybody_in_the_file(owner):
    take(owner, "Name,Phone,Tags\nAsha,9820012341,VIP\n", tag="Fair 2026")
    assert Customer.objects.get().tags == ["VIP", "Fair 2026"]


def test_a_branch_manager_reaches_her_branch_only(chain, manager):
    own = CustomerFactory(phone=PHONE, home_branch=chain.north, email="")
    CustomerFactory(phone="+919820012351", home_branch=chain.south, email="")
    job = take(
        manager,
        "Name,Phone,E-mail,Home branch\nA,9820012341,a@x.in,\nB,9820012351,b@x.in,\n"
        "C,9820012361,,South\nD,9820012371,,\n",
    )
    assert job.reasons == {"other_branch": 1, "unknown_branch": 1}
    own.refresh_from_db()
    assert own.email == "a@x.in"
    assert Customer.objects.get(phone="+919820012371").home_branch == chain.north
    assert not Customer.objects.filter(email="b@x.in").exists()


def test_who_may_not_import_is_refused(chain):
    with pytest.raises(Forbidden):
        send(chain.actor(chain.receptionist), many(1))
    assert not ImportJob.objects.exists()


def test_a_killed_worker_loses_its_chunk_and_the_next_one_goes_on(owner, monkeypatch):
    monkeypatch.setattr(worker, "CHUNK", 4)

    class Killed(BaseException):
        pass

    def die_after(module, name, calls):
        real, left = getattr(module, name), iter(range(calls))

        def once_more(*args, **kwargs):
            if next(left, None) is None:
                raise Killed
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, once_more)
        return real

    job = send(owner, many(10))
    services.choose_columns(actor=owner, job=job, mapping=job.mapping, options=OPTIONS)
    real = die_after(worker.matching, "keep_chunk", 1)
    with pytest.raises(Killed):
        work(job)
    job.refresh_from_db()
    assert (job.state, job.checked_rows, ImportRow.objects.count()) == ("checking", 4, 4)
    monkeypatch.setattr(worker.matching, "keep_chunk", real)
    assert not worker.run_import(job.tenant_id, job.pk), "somebody else has it"
    assert worker.due_imports() == []
    ImportJob.objects.update(leased_until=worker.clock.now())
    assert worker.due_imports() == [job.pk]
    work(job)
    job.refresh_from_db()
    assert job.counts == {"new": 10}
    assert job.checked_rows == job.total_rows == 10, "no line was read twice"

    services.start_import(actor=owner, job=job)
    real = die_after(worker, "take_consents", 1)
    with pytest.raises(Killed):
        work(job)
    assert Customer.objects.count() == 4
    monkeypatch.setattr(worker, "take_consents", real)
    ImportJob.objects.update(leased_until=None)
    work(job)
    job.refresh_from_db()
    assert (job.state, job.result["created"], Customer.objects.count()) == ("done", 10, 10)


def test_doing_a_chunk_again_changes_nothing(owner):
    job = take(owner, f"Name,Phone,WhatsApp consent\nAsha,{PHONE},yes\n", **CONSENTED)
    before = list(Customer.objects.values()), ConsentRecord.objects.count()
    ImportJob.objects.update(state="importing", imported_line=0)
    work(job)
    assert (list(Customer.objects.values()), ConsentRecord.objects.count()) == before


def test_a_line_never_makes_two_even_when_nothing_of_it_is_left_to_know_her_by(owner):
    job = take(owner, f"Name,Phone\nAsha,{PHONE}\n")
    made = Customer.objects.get()
    assert made.pk == ImportRow.objects.get(job=job).pk
    update_customer(actor=owner, customer=made, values={"phone": "9820012351"})
    ImportJob.objects.update(state="importing", imported_line=0)
    work(job)
    assert Customer.objects.get().phone == "+919820012351"


def test_cancelling_stops_before_the_next_chunk(owner, monkeypatch):
    monkeypatch.setattr(worker, "CHUNK", 4)
    monkeypatch.setattr(worker, "SLICE_SECONDS", -1.0)
    job = check(owner, many(10))
    services.start_import(actor=owner, job=job)
    assert worker.run_import(job.tenant_id, job.pk)
    services.cancel_import(actor=owner, job=job)
    assert not worker.run_import(job.tenant_id, job.pk)
    assert Customer.objects.count() == 4
    for act in (services.start_import, services.cancel_import):
        with pytest.raises(Conflict):
            act(actor=owner, job=job)


def test_a_fault_of_ours_ends_the_job_with_a_sentence(owner, monkeypatch):
    monkeypatch.setattr(worker.matching, "keep_chunk", lambda: 1 / 0)
    job = check(owner, many(1))
    assert job.state == "failed"
    assert job.error.startswith("Something went wrong on our side. It has been noted.")


def test_what_is_over_is_tidied_away(owner):
    job = take(owner, many(3) + "Bad,12\n")
    worker.tidy_imports()
    assert not ImportPart.objects.exists()
    assert [row.outcome for row in ImportRow.objects.all()] == ["invalid"]
    ImportJob.objects.update(finished_at=job.finished_at - dt.timedelta(days=31))
    worker.tidy_imports()
    assert not ImportRow.objects.exists()


def test_every_step_is_audited(owner):
    take(owner, many(1))
    assert list(
        AuditEntry.objects.filter(action__startswith="import.")
        .order_by("pk")
        .values_list("action", flat=True)
    ) == ["import.upload", "import.map", "import.start", "import.done"]


def test_tasks_wake_each_other(owner, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *ids: asked.append(ids))
    job = send(owner, many(1))
    services.choose_columns(actor=owner, job=job, mapping=job.mapping, options=OPTIONS)
    tasks.sweep_imports()
    assert asked == [(str(job.tenant_id), str(job.pk))]
    tasks.run_import(*asked[0])
    tasks.tidy_imports()
    assert ImportJob.objects.get().state == "checked"


def test_another_chains_import_is_not_found(owner, other_chain):
    job = send(owner, many(1))
    with tenant_scope(other_chain.tenant.pk), pytest.raises(NotFound):
        selectors.get_import_for_actor(other_chain.actor(other_chain.owner), job.pk)
