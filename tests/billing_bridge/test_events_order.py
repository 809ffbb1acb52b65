"""Events may come in any order and again: what is left is the same; and what would be without."""

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_bridge import services
from billing_bridge.services import events as taking
from customers.models import (
    ContactPoint,
    Customer,
    CustomerEvent,
    Membership,
    Package,
    Visit,
)
from tests.billing_bridge.conftest import event
from tests.billing_bridge.test_events import FACIALS, GOLD, at

PEOPLE = [
    {"phone": "+919811100001", "name": "Asha Rao"},
    {"externalId": "C-2", "phone": "+919811100002", "name": "Mira"},
    {"externalId": "C-2"},
    {"phone": "+919811100002"},
]
STORY = [
    event("a", "visit.completed", PEOPLE[0]) | at(1),
    event("b", "visit.completed", PEOPLE[1]) | at(2),
    event("c", "customer.updated", PEOPLE[1] | {"tags": ["VIP"], "gender": "female"}) | at(3),
    event("d", "customer.updated", PEOPLE[1] | {"firstName": "Meera"}) | at(4),
    event("e", "membership.sold", PEOPLE[1], properties=GOLD) | at(5),
    event("f", "membership.changed", PEOPLE[1], properties=GOLD | {"plan": "Silver"}) | at(6),
    event("g", "package.sold", PEOPLE[1], properties=FACIALS) | at(7),
    event("h", "package.used", PEOPLE[1], properties=FACIALS | {"sessionsUsed": 3}) | at(8),
    event("i", "quote.sent", PEOPLE[0]) | at(9),
]


def rows():
    """All that a call may leave, without ids."""
    return (
        sorted(Customer.objects.values_list("external_id", "first_name", "phone", "gender", "tags"),
               key=str),
        sorted(Visit.objects.values_list("external_id", "customer__first_name")),
        sorted(Membership.objects.values_list("plan", "status", "customer__first_name")),
        sorted(Package.objects.values_list("sessions_used", "customer__first_name")),
        sorted(CustomerEvent.objects.values_list("name", "occurred_at")),
        ContactPoint.objects.count(),
    )  # fmt: skip


def left_by(chain, *calls):
    """What these calls leave, one after the other; nothing of it stays."""
    owner = chain.actor(chain.owner)
    with transaction.atomic():
        for call in filter(None, calls):
            assert not services.take_events(actor=owner, events=call, where="test").errors
        left = rows()
        transaction.set_rollback(True)
    return left


def story_at(branch):
    return [
        each | {"properties": {"branchCode": branch.code}}
        if each["name"] == "visit.completed"
        else each
        for each in STORY
    ]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_order_and_repetition_leave_the_same_rows(chain, data):
    story = story_at(chain.north)
    shuffled = data.draw(st.permutations(story + story[:4]))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert left_by(chain, story) == left_by(chain, shuffled[:cut], shuffled[cut:], shuffled)


def test_without_a_look_at_what_is_later_the_order_would_matter(chain, monkeypatch):
    story = story_at(chain.north)
    backwards = [story[:2], *([each] for each in reversed(story[2:]))]
    assert left_by(chain, story) == left_by(chain, *backwards)
    monkeypatch.setattr(taking, "_known_later", lambda changes: set())
    assert left_by(chain, story) != left_by(chain, *backwards)
