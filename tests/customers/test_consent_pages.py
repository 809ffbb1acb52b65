"""Consent on the customer's page: who may change it, and what is recorded."""

from customers import services
from customers.models import (
    ConsentRecord,
    ConsentState,
)
from tests.customers.test_pages import page


def consent_form(**changes):
    answers = {"whatsapp": "both", "sms": "both", "email": "both", "source": "phone_call"}
    return answers | changes


def test_a_manager_records_consent(asha, login):
    body = consent_form(sms="reminders", email="no", is_dnd="on", reason="at the counter")
    answer = login("manager").post(page("consent", asha), body)
    assert answer.status_code == 302
    state = ConsentState.objects.get(customer=asha)
    assert (state.sms_promotional, state.sms_service) == (False, True)
    assert (state.email_promotional, state.email_service, state.is_dnd) == (False, False, True)
    assert state.whatsapp_promotional
    lines = ConsentRecord.objects.order_by("id").values_list("channel", "reason")
    assert set(lines) == {
        ("sms", "at the counter"),
        ("email", "at the counter"),
        ("", "at the counter"),
    }


def test_posting_the_form_unchanged_records_nothing(asha, login):
    login("manager").post(page("consent", asha), consent_form())
    assert not ConsentRecord.objects.exists()


def test_an_assumed_consent_warns_and_stays_assumed_until_it_is_answered(login, manager, assume):
    assume({"whatsapp": True})
    asha = services.create_customer(actor=manager, values={"first_name": "Asha"}, source="staff")
    client = login("manager")
    assert "Some consent is only assumed" in client.get(page("detail", asha)).text
    body = consent_form(whatsapp="assumed", sms="no", email="no")
    client.post(page("consent", asha), body)
    assert ConsentState.objects.get(customer=asha).whatsapp_basis == "assumed"
    client.post(page("consent", asha), body | {"whatsapp": "both"})
    assert ConsentState.objects.get(customer=asha).whatsapp_basis == "explicit"
    assert "only assumed" not in client.get(page("detail", asha)).text


def test_a_strange_answer_is_refused(asha, login):
    answer = login("manager").post(page("consent", asha), consent_form(sms="perhaps"))
    assert answer.status_code == 422
    assert not ConsentRecord.objects.exists()


def test_a_receptionist_sees_consent_but_may_not_change_it(asha, login):
    client = login("receptionist")
    assert "Change consent" not in client.get(page("detail", asha)).text
    assert client.post(page("consent", asha), consent_form(sms="no")).status_code == 403
    assert not ConsentRecord.objects.exists()
