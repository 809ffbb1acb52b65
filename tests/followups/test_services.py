"""Reminders: who makes them for whom, how they are closed, and what refuses."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from customers import services as customer_services
from customers.models import Customer
from customers.services.merge import merge_customers, undo_merge
from marketing.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from marketing.core.models import AuditEntry, Role
from marketing.core.tenancy import tenant_scope
from marketing.followups import rules, services
from marketing.followups.models import FollowupReminder
from tests.factories.core import make_staff
from tests.factories.customers import CustomerFactory
from tests.factories.followups import FollowupFactory
from tests.followups.conftest import TODAY

TOMORROW = TODAY + dt.timedelta(days=1)


@pytest.fixture
def receptionist(chain):
    return chain.actor(chain.receptionist)


@pytest.fixture
def reminder(chain, asha):
    return FollowupFactory(staff=chain.receptionist, customer=asha, branch=chain.north)


def acts():
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_one_reminds_oneself(chain, asha, receptionist):
    made = services.create_followup(
        actor=receptionist, customer=asha, reminder_date=TOMORROW, note=" her fringe "
    )
    made.refresh_from_db()
    assert (made.staff, made.branch, made.created_by) == (
        chain.receptionist,
        chain.north,
        chain.receptionist,
    )
    assert (made.status, made.note, made.outcome) == ("pending", "her fringe", "")
    assert acts() == ["followup.create"]


@pytest.mark.parametrize("days", [-1, 731])
def test_a_day_that_is_over_or_far_away_is_refused(asha, receptionist, days):
    with pytest.raises(ValidationFailed) as refused:
        services.create_followup(
            actor=receptionist, customer=asha, reminder_date=TODAY + dt.timedelta(days=days)
        )
    assert set(refused.value.fields) == {"reminder_date"}
    assert not FollowupReminder.objects.exists()
    assert acts() == []


def test_today_is_that_of_the_branch(chain, asha, receptionist, noon):
    chain.north.time_zone = "Pacific/Auckland"
    chain.north.save()
    asha.home_branch.refresh_from_db()
    noon.move_to(dt.datetime(2026, 6, 15, 14, tzinfo=dt.UTC))  # already the 16th in Auckland
    with pytest.raises(ValidationFailed):
        services.create_followup(actor=receptionist, customer=asha, reminder_date=TODAY)
    assert services.create_followup(actor=receptionist, customer=asha, reminder_date=TOMORROW)


def test_a_second_tap_makes_no_second_reminder(asha, receptionist):
    services.create_followup(actor=receptionist, customer=asha, reminder_date=TOMORROW)
    with pytest.raises(ValidationFailed) as refused:
        services.create_followup(actor=receptionist, customer=asha, reminder_date=TOMORROW)
    assert "reminder_date" in refused.value.fields
    assert FollowupReminder.objects.count() == 1


def test_only_managers_remind_others_and_only_those_of_their_branches(chain, asha, receptionist):
    elsewhere = make_staff(Role.RECEPTIONIST, chain.west)
    manager = chain.actor(chain.manager)
    made = services.create_followup(
        actor=manager, customer=asha, reminder_date=TODAY, staff=chain.receptionist
    )
    assert (made.staff, made.created_by) == (chain.receptionist, chain.manager)
    for actor, staff in ((receptionist, chain.manager), (manager, elsewhere)):
        with pytest.raises(ValidationFailed) as refused:
            services.create_followup(actor=actor, customer=asha, reminder_date=TODAY, staff=staff)
        assert set(refused.value.fields) == {"staff"}
    chain.receptionist.is_active = False
    chain.receptionist.save()
    with pytest.raises(ValidationFailed):
        services.create_followup(
            actor=manager, customer=asha, reminder_date=TOMORROW, staff=chain.receptionist
        )


def test_the_branch_is_hers_if_one_works_there(chain):
    in_south = CustomerFactory(home_branch=chain.south)
    regional, manager = chain.actor(chain.regional), chain.actor(chain.manager)
    owner = chain.actor(chain.owner)
    for actor, branch in ((regional, chain.south), (manager, chain.north), (owner, chain.south)):
        made = services.create_followup(actor=actor, customer=in_south, reminder_date=TODAY)
        assert made.branch == branch
    nowhere = CustomerFactory(home_branch=None)
    assert (
        services.create_followup(actor=owner, customer=nowhere, reminder_date=TODAY).branch is None
    )


def test_an_erased_customer_is_not_called(chain, asha, reminder, receptionist):
    owner = chain.actor(chain.owner)
    customer_services.erase_customer(actor=owner, customer=asha)
    reminder.refresh_from_db()
    assert (reminder.status, reminder.note) == ("dismissed", "")
    with pytest.raises(NotFound):
        services.create_followup(actor=receptionist, customer=asha, reminder_date=TODAY)
    with pytest.raises(NotFound):
        services.reopen_followup(actor=receptionist, followup=reminder)
    reminder.refresh_from_db()
    assert reminder.status == "dismissed"


def test_reminders_go_with_who_is_merged_and_come_back(chain, asha, reminder, receptionist):
    kept = CustomerFactory(first_name="Asha", home_branch=chain.north)
    manager = chain.actor(chain.manager)
    merged = merge_customers(actor=manager, keep=kept, other=asha, choices={})
    reminder.refresh_from_db()
    assert reminder.customer_id == kept.pk
    made = services.create_followup(
        actor=receptionist, customer=Customer.objects.get(pk=asha.pk), reminder_date=TOMORROW
    )
    assert made.customer_id == kept.pk
    undo_merge(actor=manager, merge=merged)
    reminder.refresh_from_db()
    assert reminder.customer_id == asha.pk


def test_her_reminders_are_exported(chain, asha, reminder):
    data = customer_services.export_customer(actor=chain.actor(chain.owner), customer=asha)
    assert [each["note"] for each in data["followups"]] == [reminder.note]


@pytest.mark.parametrize("outcome", ["", *FollowupReminder.Outcome.values])
def test_what_came_of_it(reminder, receptionist, outcome):
    done = services.complete_followup(actor=receptionist, followup=reminder, outcome=outcome)
    done.refresh_from_db()
    assert (done.status, done.outcome) == ("completed", outcome)
    assert done.completed_at == dt.datetime(2026, 6, 15, 6, 30, tzinfo=dt.UTC)
    assert acts() == ["followup.complete"]
    services.complete_followup(actor=receptionist, followup=reminder, outcome=outcome)
    assert acts() == ["followup.complete"]


def test_an_outcome_nobody_knows_is_refused(reminder, receptionist):
    with pytest.raises(ValidationFailed) as refused:
        services.complete_followup(actor=receptionist, followup=reminder, outcome="eloped")
    assert set(refused.value.fields) == {"outcome"}
    reminder.refresh_from_db()
    assert reminder.status == "pending"


def test_no_answer_tries_again_tomorrow_once(reminder, receptionist):
    for _tap in range(2):
        services.complete_followup(
            actor=receptionist, followup=reminder, outcome="no_answer", again_in_days=1
        )
    first, second = FollowupReminder.objects.order_by("id")
    assert (first.status, first.outcome) == ("completed", "no_answer")
    assert (second.status, second.reminder_date, second.note) == (
        "pending",
        TOMORROW,
        reminder.note,
    )


MOVES = {
    "completed": services.complete_followup,
    "dismissed": services.dismiss_followup,
    "pending": services.reopen_followup,
}


@pytest.mark.parametrize("before", MOVES)
@pytest.mark.parametrize("after", MOVES)
def test_every_transition(chain, asha, receptionist, before, after):
    outcome = "booked" if before == "completed" else ""
    closed = None if before == "pending" else dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    row = FollowupFactory(
        staff=chain.receptionist,
        customer=asha,
        branch=chain.north,
        status=before,
        outcome=outcome,
        completed_at=closed,
    )
    move = MOVES[after]
    if after in rules.TRANSITIONS[before] or (before == after and before != "completed"):
        move(actor=receptionist, followup=row)
        row.refresh_from_db()
        assert (row.status, row.outcome) == (after, "")
    else:
        with pytest.raises(Conflict):
            move(actor=receptionist, followup=row)
        row.refresh_from_db()
        assert (row.status, row.outcome) == (before, outcome)


def test_what_is_closed_is_not_changed(reminder, receptionist):
    services.dismiss_followup(actor=receptionist, followup=reminder)
    with pytest.raises(Conflict):
        services.update_followup(actor=receptionist, followup=reminder, values={"note": "x"})
    with pytest.raises(Conflict):
        services.snooze_followup(actor=receptionist, followup=reminder, until="tomorrow")


def test_one_change_that_is_refused_leaves_nothing_behind(reminder, receptionist):
    values = {"note": "new", "status": "completed", "outcome": "eloped"}
    with pytest.raises(ValidationFailed):
        services.update_followup(actor=receptionist, followup=reminder, values=values)
    reminder.refresh_from_db()
    assert reminder.note != "new"
    assert acts() == []


@pytest.mark.parametrize(("until", "days"), [("tomorrow", 1), ("next_week", 7)])
def test_put_off_counts_from_today(reminder, receptionist, until, days):
    FollowupReminder.objects.update(reminder_date=TODAY - dt.timedelta(days=20))
    services.snooze_followup(actor=receptionist, followup=reminder, until=until)
    reminder.refresh_from_db()
    assert reminder.reminder_date == TODAY + dt.timedelta(days=days)
    with pytest.raises(ValidationFailed):
        services.snooze_followup(actor=receptionist, followup=reminder, until="never")


def test_an_overdue_one_keeps_its_day_while_its_note_changes(reminder, receptionist):
    past = TODAY - dt.timedelta(days=20)
    FollowupReminder.objects.update(reminder_date=past)
    values = {"reminder_date": past, "note": "call her mother"}
    services.update_followup(actor=receptionist, followup=reminder, values=values)
    entry = AuditEntry.objects.get()
    assert entry.changes == {"note": True}  # not its words: they go when she is erased


def test_others_reminders_are_not_found(chain, reminder, other_chain):
    colleague = make_staff(Role.RECEPTIONIST, chain.north)
    elsewhere = make_staff(Role.BRANCH_MANAGER, chain.south)
    with tenant_scope(other_chain.tenant.pk):
        stranger = other_chain.actor(other_chain.owner)
    for actor in (chain.actor(colleague), chain.actor(elsewhere)):
        for act in (*MOVES.values(), services.delete_followup):
            with pytest.raises(NotFound):
                act(actor=actor, followup=reminder)
    with tenant_scope(other_chain.tenant.pk), pytest.raises(NotFound):
        services.delete_followup(actor=stranger, followup=reminder)
    assert FollowupReminder.objects.get().status == "pending"


def test_managers_and_owners_close_those_of_their_branches(chain, asha):
    for staff in (chain.manager, chain.regional, chain.owner):
        row = FollowupFactory(staff=chain.receptionist, customer=asha, branch=chain.north)
        services.complete_followup(actor=chain.actor(staff), followup=row)
        row.refresh_from_db()
        assert row.status == "completed"


def test_a_manager_hands_it_to_a_colleague(chain, asha, reminder, receptionist):
    with pytest.raises(ValidationFailed):
        services.update_followup(
            actor=receptionist, followup=reminder, values={"staff": chain.manager}
        )
    services.update_followup(
        actor=chain.actor(chain.manager), followup=reminder, values={"staff": chain.manager}
    )
    reminder.refresh_from_db()
    assert reminder.staff == chain.manager


def test_deleted_is_gone_and_told(reminder, receptionist):
    services.delete_followup(actor=receptionist, followup=reminder)
    assert not FollowupReminder.objects.exists()
    assert acts() == ["followup.delete"]
    with pytest.raises(NotFound):
        services.dismiss_followup(actor=receptionist, followup=reminder)


def test_who_may_nothing_may_nothing(chain, asha, reminder):
    from dataclasses import replace

    nobody = replace(chain.actor(chain.receptionist), permissions=frozenset())
    with pytest.raises(Forbidden):
        services.create_followup(actor=nobody, customer=asha, reminder_date=TODAY)
    with pytest.raises(Forbidden):
        services.delete_followup(actor=nobody, followup=reminder)


def test_the_database_holds_state_and_outcome_together(chain, asha):
    for values in ({"outcome": "booked"}, {"status": "dismissed"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FollowupFactory(staff=chain.manager, customer=asha, **values)
