"""The consent ledger and the state that follows from it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import rules, services
from customers.models import ConsentRecord, ConsentState, Customer, Suppression
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.models import AuditEntry, DomainEvent
from tests.factories.customers import EVERYTHING, CustomerFactory

EXPLICIT = {"whatsapp_promotional": True, "whatsapp_service": True, "whatsapp_basis": "explicit"}


@pytest.fixture
def asha(chain):
    return CustomerFactory(consent=False, home_branch=chain.north)


def state_of(customer):
    return ConsentState.objects.get(customer=customer)


def lines_of(customer):
    return list(
        customer.consent_records.order_by("id").values_list("state", "channel", "purpose", "basis")
    )


def enter(actor, source="staff", **values):
    values = {"first_name": "Asha", "phone": "98765 43210"} | values
    return services.create_customer(actor=actor, values=values, source=source)


def test_yes_is_a_line_a_state_an_audit_entry_and_an_event(asha, manager):
    services.record_consent(
        actor=manager,
        customer=asha,
        changes={"whatsapp_consent": True},
        source="staff",
        reason="said so at the counter",
        ip_address="10.1.2.3",
        wording_version="2026-01",
        language="hi",
    )
    line = asha.consent_records.get()
    assert (line.state, line.channel, line.purpose, line.basis) == (
        "granted",
        "whatsapp",
        "",
        "explicit",
    )
    assert (line.source, line.reason, line.ip_address) == (
        "staff",
        "said so at the counter",
        "10.1.2.3",
    )
    assert (line.wording_version, line.language, line.user) == ("2026-01", "hi", manager.user)
    state = state_of(asha)
    assert {name: getattr(state, name) for name in EXPLICIT} == EXPLICIT
    assert not state.sms_promotional
    entry = AuditEntry.objects.get(action="consent.update")
    assert entry.object_id == asha.pk
    assert entry.changes["whatsapp_promotional"] == [False, True]
    fields = {
        event.payload["field"] for event in DomainEvent.objects.filter(name="consent.updated")
    }
    assert fields == set(EXPLICIT)
    assert not DomainEvent.objects.filter(name="consent.opted_out").exists()


def test_what_already_stands_is_not_written_again(manager, chain):
    asha = CustomerFactory()
    services.record_consent(
        actor=manager,
        customer=asha,
        changes={"sms_consent": True, "is_dnd": False, "marketing_opted_out": False},
        source="staff",
    )
    assert lines_of(asha) == []
    assert not AuditEntry.objects.exists()
    assert not DomainEvent.objects.exists()


def test_one_purpose_of_a_channel_can_end(manager, chain):
    asha = CustomerFactory()
    services.record_consent(
        actor=manager, customer=asha, changes={"sms_promotional": False}, source="staff"
    )
    state = state_of(asha)
    assert (state.sms_promotional, state.sms_service, state.sms_basis) == (False, True, "explicit")


def test_withdrawing_the_last_purpose_clears_the_basis(manager, chain):
    asha = CustomerFactory()
    services.record_consent(
        actor=manager, customer=asha, changes={"sms_consent": False}, source="staff"
    )
    assert state_of(asha).sms_basis == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"telegram_consent": True}, "telegram_consent"),
        ({"sms_consent": "yes"}, "sms_consent"),
        ({"is_dnd": 1}, "is_dnd"),
        ({"preferred_channel": "fax"}, "preferred_channel"),
        ({"preferred_language": ""}, "preferred_language"),
    ],
)
def test_bad_changes_are_refused_whole(asha, manager, changes, field):
    with pytest.raises(ValidationFailed) as refused:
        services.record_consent(
            actor=manager,
            customer=asha,
            changes={"whatsapp_consent": True} | changes,
            source="staff",
        )
    assert list(refused.value.fields) == [field]
    assert lines_of(asha) == []
    assert not state_of(asha).whatsapp_promotional


def test_preferences_are_the_customers(asha, manager):
    services.record_consent(
        actor=manager,
        customer=asha,
        changes={"preferred_language": "hi", "preferred_channel": "sms"},
        source="staff",
    )
    asha.refresh_from_db()
    assert (asha.language, asha.preferred_channel, asha.version) == ("hi", "sms", 2)
    assert lines_of(asha) == []


def test_opting_out_is_recorded_once(manager, chain):
    asha = CustomerFactory()
    for _ in range(2):
        services.opt_out(actor=manager, customer=asha, source="customer_request")
    state = state_of(asha)
    assert state.marketing_opted_out
    assert state.opted_out_at is not None
    assert state.opt_out_source == "customer_request"
    assert state.whatsapp_promotional, "an explicit yes is kept for the day she comes back"
    assert lines_of(asha) == [("opted_out", "", "", "")]
    event = DomainEvent.objects.get(name="consent.opted_out")
    assert event.payload == {"customerId": str(asha.pk), "source": "customer_request"}


def test_opting_out_of_one_channel_leaves_the_others(manager, chain):
    asha = CustomerFactory()
    services.opt_out(actor=manager, customer=asha, source="unsubscribe_link", channel="email")
    state = state_of(asha)
    assert not state.marketing_opted_out
    assert (state.email_promotional, state.email_service) == (False, False)
    assert state.sms_promotional


def test_coming_back_clears_the_opt_out(manager, chain):
    asha = CustomerFactory()
    services.opt_out(actor=manager, customer=asha, source="manual")
    services.record_consent(
        actor=manager, customer=asha, changes={"marketing_opted_out": False}, source="staff"
    )
    state = state_of(asha)
    assert (state.marketing_opted_out, state.opted_out_at, state.opt_out_source) == (
        False,
        None,
        "",
    )


def test_people_entered_by_staff_get_the_assumed_channels(manager, assume):
    assume({"whatsapp": True, "sms": False})
    asha = enter(manager)
    state = state_of(asha)
    assert (state.whatsapp_promotional, state.whatsapp_service) == (True, True)
    assert state.whatsapp_basis == "assumed"
    assert not state.sms_promotional
    assert lines_of(asha) == [("granted", "whatsapp", "", "assumed")]


@pytest.mark.parametrize("source", ["import", "referral"])
def test_other_sources_never_assume(manager, assume, source):
    assume({"whatsapp": True})
    assert lines_of(enter(manager, source)) == []


def test_nothing_is_assumed_without_a_provider(manager):
    assert lines_of(enter(manager)) == []


def test_nothing_is_assumed_for_the_address_of_somebody_who_opted_out(manager, assume):
    assume({"whatsapp": True})
    mother = enter(manager)
    services.opt_out(actor=manager, customer=mother, source="manual")
    assert lines_of(enter(manager)) == []


def test_nothing_is_assumed_for_somebody_erased(manager, assume):
    assume({"whatsapp": True})
    asha = enter(manager)
    services.erase_customer(actor=manager, customer=asha)
    assert lines_of(enter(manager)) == []


def test_an_opt_out_ends_what_was_only_assumed(manager, assume):
    assume({"whatsapp": True})
    asha = enter(manager)
    services.opt_out(actor=manager, customer=asha, source="manual")
    services.record_consent(
        actor=manager, customer=asha, changes={"marketing_opted_out": False}, source="staff"
    )
    assert not state_of(asha).whatsapp_promotional


def test_an_assumed_channel_becomes_explicit_when_all_of_it_is_confirmed(manager, assume):
    assume({"whatsapp": True})
    asha = enter(manager)
    change = {"actor": manager, "customer": asha, "source": "staff"}
    services.record_consent(changes={"whatsapp_promotional": True}, **change)
    assert state_of(asha).whatsapp_basis == "assumed", "nobody asked about reminders"
    services.record_consent(changes={"whatsapp_consent": True}, **change)
    assert state_of(asha).whatsapp_basis == "explicit"


def test_agreeing_again_lifts_an_opt_out_of_the_address_but_no_bounce(manager, asha):
    services.suppress_addresses(
        [
            ("whatsapp", asha.phone, Suppression.Reason.OPTED_OUT),
            ("sms", asha.phone, Suppression.Reason.INVALID),
        ]
    )
    services.record_consent(
        actor=manager,
        customer=asha,
        changes={"whatsapp_consent": True, "sms_consent": True},
        source="staff",
    )
    assert list(Suppression.objects.values_list("channel", "reason")) == [("sms", "invalid")]


def test_somebody_erased_cannot_consent(manager, asha):
    services.erase_customer(actor=manager, customer=asha)
    lines = lines_of(asha)
    with pytest.raises(Conflict):
        services.record_consent(
            actor=manager, customer=asha, changes={"sms_consent": True}, source="staff"
        )
    assert lines_of(asha) == lines


def test_a_customer_without_a_state_gets_one(manager, chain):
    asha = Customer.objects.create(first_name="Asha")
    services.record_consent(
        actor=manager, customer=asha, changes={"sms_consent": True}, source="staff"
    )
    assert state_of(asha).sms_promotional


CHANGES = st.dictionaries(
    st.sampled_from(sorted(services.consent.CHANGES - {"preferred_channel", "preferred_language"})),
    st.booleans(),
    min_size=1,
)


def replay(customer, state):
    """The ledger read by another hand than the one that writes the state."""
    for line in customer.consent_records.order_by("id"):
        purposes = [line.purpose] if line.purpose else ["promotional", "service"]
        other = {"promotional": "service", "service": "promotional"}
        if line.state == "granted":
            doubtful = state[f"{line.channel}_basis"] == "assumed" and (
                len(purposes) == 1 and state[f"{line.channel}_{other[purposes[0]]}"]
            )
            for purpose in purposes:
                state[f"{line.channel}_{purpose}"] = True
            state[f"{line.channel}_basis"] = "assumed" if doubtful else line.basis
        elif line.state == "withdrawn":
            for purpose in purposes:
                state[f"{line.channel}_{purpose}"] = False
            if not (state[f"{line.channel}_promotional"] or state[f"{line.channel}_service"]):
                state[f"{line.channel}_basis"] = ""
        elif line.state.startswith("dnd"):
            state["is_dnd"] = line.state == "dnd_set"
        elif line.state == "opted_in":
            state |= {"marketing_opted_out": False, "opted_out_at": None, "opt_out_source": ""}
        else:
            state |= {
                "marketing_opted_out": True,
                "opted_out_at": line.at,
                "opt_out_source": line.source,
            }
            for channel in ("whatsapp", "sms", "email"):
                if state[f"{channel}_basis"] == "assumed":
                    state[f"{channel}_promotional"] = state[f"{channel}_service"] = False
                    state[f"{channel}_basis"] = ""
    return state


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(CHANGES, max_size=6))
def test_replaying_the_ledger_gives_the_state(chain, manager, assume, all_changes):
    assume({"whatsapp": True, "email": True})
    asha = enter(manager, phone="", first_name="Asha")
    for changes in all_changes:
        services.record_consent(actor=manager, customer=asha, changes=changes, source="staff")
    state = state_of(asha)
    assert {name: getattr(state, name) for name in rules.no_consent()} == replay(
        asha, rules.no_consent()
    )


def test_the_last_word_stands(chain, manager):
    """What a change asked for is what the state says, channel by channel."""
    asha = CustomerFactory(consent=EVERYTHING)
    services.record_consent(
        actor=manager,
        customer=asha,
        changes={"sms_consent": True, "sms_promotional": False, "email_consent": False},
        source="staff",
    )
    state = state_of(asha)
    assert (state.sms_promotional, state.sms_service) == (False, True)
    assert (state.email_promotional, state.email_service) == (False, False)


def test_every_ledger_state_is_known_to_the_rules():
    """A state that `follow` ignored would silently lose what a person said."""
    start = rules.no_consent() | EVERYTHING | {"is_dnd": False}
    moved = set()
    for state in ConsentRecord.State.values:
        said = rules.Statement(state, channel="sms", basis="assumed")
        for before in (start, rules.no_consent() | {"is_dnd": True, "marketing_opted_out": True}):
            if rules.follow(before, said, source="staff", at=None) != before:
                moved.add(state)
    assert moved == set(ConsentRecord.State.values)
