"""Random rules over nearly all there is to ask about customers."""

from typing import Any

from hypothesis import strategies as st

from tests.segments.plain_days_and_places import PLACES
from tests.segments.plain_evaluator import SEGMENTS
from tests.segments.random_customers import CHANNELS, RFM_GROUPS, SMALL, STAGES, STATES, TAGS

KNOWN = [("is_set", st.none()), ("not_set", st.none())]


def ordered(values: st.SearchStrategy[Any]) -> list[tuple[str, st.SearchStrategy[Any]]]:
    comparisons = [(op, values) for op in ("eq", "ne", "gt", "gte", "lt", "lte")]
    between = st.lists(values, min_size=2, max_size=2).map(sorted)
    return [*comparisons, ("between", between), *KNOWN]


def listed(values: st.SearchStrategy[Any], *ops: str) -> list[tuple[str, st.SearchStrategy[Any]]]:
    several = st.lists(values, min_size=1, max_size=3)
    return [(op, values) for op in ops] + [("in", several), ("not_in", several)]


def yearday() -> list[tuple[str, st.SearchStrategy[Any]]]:
    return [
        ("lte", st.integers(0, 4) | st.sampled_from([300, 365])),
        ("eq", st.integers(0, 4) | st.sampled_from([364, 365])),
        ("within_next", st.integers(0, 4) | st.just(365)),
        ("today", st.none()),
        ("between", st.lists(st.integers(0, 365), min_size=2, max_size=2).map(sorted)),
        *KNOWN,
    ]


def several(names: list[str]) -> list[tuple[str, st.SearchStrategy[Any]]]:
    chosen = st.sampled_from(names)
    return [
        *listed(chosen, "contains", "ne"),
        ("all", st.lists(chosen, min_size=1, max_size=2)),
        *KNOWN,
    ]


def choice(values: st.SearchStrategy[Any]) -> list[tuple[str, st.SearchStrategy[Any]]]:
    return listed(values, "eq", "ne") + KNOWN


AMOUNTS = st.sampled_from([0, 99.99, 100, 250.5])
MONTHS = st.sampled_from([2, 3, 12, "current"])
DAYS = st.integers(0, 4) | st.sampled_from([30, 31, 375])
YES_OR_NO = [("eq", st.booleans()), ("ne", st.booleans())]
DAYS_AGO = [*ordered(DAYS), ("within_last", DAYS)]
DAYS_UNTIL = [
    *ordered(st.integers(-3, 4)),
    ("within_last", st.integers(0, 4)),
    ("within_next", st.integers(0, 4)),
]
BRANCH_IDS = st.sampled_from(["branch:india", "branch:london"])
CATEGORIES = st.sampled_from(["category:hair", "category:retail"])
ISO_DATES = st.sampled_from(["2026-02-27", "2026-02-28", "2026-03-01"])
PER_CHANNEL = {
    f"{channel}_{field}": operands
    for channel in ("whatsapp", "sms", "email")
    for field, operands in (
        ("consent", YES_OR_NO),
        ("service_consent", YES_OR_NO),
        ("suppressed", YES_OR_NO),
        ("consent_basis", choice(st.sampled_from(["explicit", "assumed"]))),
    )
}
OPERANDS: dict[str, list[tuple[str, st.SearchStrategy[Any]]]] = {
    **PER_CHANNEL,
    "visit_count": ordered(SMALL) + listed(SMALL),
    "last_visit_days": DAYS_AGO,
    "first_visit_days": DAYS_AGO,
    "last_engaged_days": DAYS_AGO,
    "customer_since_days": DAYS_AGO,
    "engaged_90_days": ordered(SMALL) + listed(SMALL),
    "stage": choice(STAGES),
    "home_branch": choice(BRANCH_IDS),
    "city": choice(st.sampled_from(["Mumbai", "London"])),
    "visited_branch": several(["branch:india", "branch:london"]),
    "rfm_group": choice(RFM_GROUPS),
    "rfm_recency": ordered(SMALL) + listed(SMALL),
    "rfm_frequency": ordered(SMALL) + listed(SMALL),
    "rfm_monetary": ordered(SMALL) + listed(SMALL),
    "overdue_days": ordered(st.integers(1, 4)),
    "due_in_days": DAYS_UNTIL,
    "overdue_category": [
        ("eq", CATEGORIES),
        ("in", st.lists(CATEGORIES, min_size=1, max_size=2)),
        *KNOWN,
    ],
    "total_spend": ordered(AMOUNTS) + listed(AMOUNTS),
    "spend_90_days": ordered(AMOUNTS) + listed(AMOUNTS),
    "spend_365_days": ordered(AMOUNTS) + listed(AMOUNTS),
    "average_ticket": ordered(AMOUNTS) + listed(AMOUNTS),
    "has_package": YES_OR_NO,
    "has_active_membership": YES_OR_NO,
    "is_dnd": YES_OR_NO,
    "marketing_opted_out": YES_OR_NO,
    "membership_status": choice(st.sampled_from(["none", "active", "expired"])),
    "membership_expires_days": DAYS_UNTIL,
    "membership_plan": several(["Gold", "Silver"]),
    "package_expires_days": DAYS_UNTIL,
    "package_sessions_left": ordered(SMALL) + listed(SMALL),
    "package_name": several(["Facials", "Spa"]),
    "points_balance": ordered(st.integers(-2, 3)) + listed(SMALL),
    "points_expire_days": DAYS_UNTIL,
    "loyalty_tier": choice(st.sampled_from(["tier:gold", "tier:silver"])),
    "offers_used": several(["offer:glow", "offer:over"]),
    "last_offer_days": DAYS_AGO,
    "unused_offer_codes": several(["offer:glow", "offer:over", "offer:off"]),
    "friends_brought": ordered(SMALL) + listed(SMALL),
    "referral_status": choice(st.sampled_from(["attributed", "rewarded", "voided"])),
    "discount_90_days": ordered(AMOUNTS) + listed(AMOUNTS),
    "discount_365_days": ordered(AMOUNTS) + listed(AMOUNTS),
    "age": ordered(st.integers(33, 36)) + listed(st.integers(33, 36)),
    "location": [
        *(
            (
                op,
                st.fixed_dictionaries({"km": st.sampled_from([1, 6, 25, 1200, 20000])}).flatmap(
                    lambda value: st.sampled_from(sorted(PLACES)).map(
                        lambda name: value | {"place": name}
                    )
                ),
            )
            for op in ("within_km", "beyond_km")
        ),
        *KNOWN,
    ],
    "gender": choice(st.sampled_from(["male", "female"])),
    "language": choice(st.sampled_from(["en", "hi"])),
    "preferred_channel": choice(st.sampled_from(["whatsapp", "sms"])),
    "phone": [
        *listed(st.just("+919820000001"), "eq", "ne", "contains"),
        ("starts_with", st.sampled_from(["+91", "+44"])),
        *KNOWN,
    ],
    "email": [
        *listed(st.sampled_from(["A@b.in", "c_d@e.com"]), "eq", "ne"),
        ("contains", st.sampled_from(["_", "%", "B.IN"])),
        ("starts_with", st.sampled_from(["A@", "c_", "%"])),
        *KNOWN,
    ],
    "birthday_month": choice(MONTHS),
    "birthday_in_days": yearday(),
    "anniversary_month": choice(MONTHS),
    "anniversary_in_days": yearday(),
    "tags": several(TAGS),
    "attribute.skin": [
        *listed(st.sampled_from(["DRY", "oily", "50% dry"]), "eq", "ne"),
        ("contains", st.sampled_from(["dr", "0%", "_", "Y"])),
        ("starts_with", st.sampled_from(["DR", "5", "%", "y"])),
        *KNOWN,
    ],
    "attribute.miles": ordered(st.sampled_from([0, 1, 2.5, 9])) + listed(SMALL),
    "attribute.window": [*YES_OR_NO, *KNOWN],
    "attribute.wedding": [
        *ordered(ISO_DATES),
        ("within_last", st.integers(0, 4)),
        ("within_next", st.integers(0, 4)),
    ],
    "attribute.tone": choice(st.sampled_from(["warm", "cool"])),
}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(sorted(OPERANDS)))
    op, values = draw(st.sampled_from(OPERANDS[field]))
    return {"field": field, "op": op, "value": draw(values)}


COUNTS = st.tuples(st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), SMALL) | st.tuples(
    st.just("between"), st.lists(SMALL, min_size=2, max_size=2).map(sorted)
)
WEEKDAYS = st.sampled_from([["saturday", "sunday"], "friday"])
CALENDAR_MONTHS = st.sampled_from(["february", {"op": "not_in", "value": ["february"]}])
FILTERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "visit": {
        "branch": BRANCH_IDS,
        "weekday": WEEKDAYS,
        "month": CALENDAR_MONTHS,
    },
    "purchase": {
        "branch": BRANCH_IDS | st.just({"op": "ne", "value": "branch:india"}),
        "total": st.sampled_from([100, {"op": "gt", "value": 100}, {"op": "lte", "value": 250}]),
        "discount": st.just({"op": "gt", "value": 0}),
        "category": CATEGORIES | st.just({"op": "ne", "value": "category:hair"}),
        "category_name": st.sampled_from(["Hair", {"op": "ne", "value": "retail"}]),
        "service": st.sampled_from(["service:cut", ["service:shampoo", "service:colour"]]),
        "service_name": st.sampled_from(["CUT", {"op": "contains", "value": "o"}]),
        "weekday": WEEKDAYS,
        "month": CALENDAR_MONTHS,
    },
    "event": {
        "name": st.sampled_from(["nps", ["nps", "cart"], {"op": "ne", "value": "nps"}]),
        "property.amount": st.sampled_from(
            [
                *(900, "900", [100, 900]),
                *({"op": op, "value": 500} for op in ("gt", "lte", "ne")),
                {"op": "contains", "value": "9"},
            ]
        ),
    },
    "offer": {
        "offer": st.sampled_from(["offer:glow", ["offer:glow", "offer:over"]]),
        "branch": BRANCH_IDS,
        "discount": st.sampled_from([100, {"op": "gt", "value": 99.99}]),
    },
    "message": {"channel": CHANNELS, "state": STATES | st.just(["read", "failed"])},
}


@st.composite
def counted(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(FILTERS)))
    node = {kind: draw(st.fixed_dictionaries({}, optional=FILTERS[kind]))}
    op, value = draw(COUNTS)
    bounds = [None, "within", "last"] if kind == "message" else [None, "within"]
    bound = draw(st.sampled_from(bounds))
    if bound == "within":
        node["within"] = {"days": draw(DAYS)}
    elif bound == "last":
        value = value if op == "between" else min(value, 2)
        node["last"] = draw(st.sampled_from([2, 3]))
    return node | {"count": {"op": op, "value": value}}


REFERENCES = st.fixed_dictionaries(
    {
        "segment": st.sampled_from([f"segment:{name}" for name in (*SEGMENTS, "listed")]),
        "op": st.sampled_from(["in", "not_in"]),
    }
)


def groups(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "operator": st.sampled_from(["AND", "OR", "NOT"]),
            "conditions": st.lists(children, min_size=1, max_size=3),
        }
    )


RULES = groups(st.recursive(conditions() | counted() | REFERENCES, groups, max_leaves=12))
