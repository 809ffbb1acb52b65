"""Random customers, with nearly all that rules ask about them."""

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.segments.plain_behaviours import CATEGORY_OF
from tests.segments.plain_days_and_places import NOW, PLACES

MOMENTS = st.sampled_from(
    [NOW - dt.timedelta(hours=hours) for hours in (0, 3, 20, 24, 26, 40, 49, 700, 725, 9000)]
)
DATES = st.sampled_from(
    [
        dt.date(*day)
        for day in ((1992, 2, 29), (1990, 2, 28), (1990, 3, 1), (1990, 3, 4), (1990, 12, 31))
    ]
)
# Around NOW, which is the 1st of March in India and still February in London.
DAYS_ABOUT = st.sampled_from(
    [dt.date(2026, 2, day) for day in (1, 26, 27, 28)] + [dt.date(2026, 3, day) for day in (1, 3)]
)
SMALL = st.integers(0, 3)
TAGS = ["vip", "bride", "नई"]
BRANCHES = st.sampled_from(["india", "london"])
CHANNELS = st.sampled_from(["email", "sms"])
STATES = st.sampled_from(["sent", "delivered", "read", "clicked", "failed"])
STAGES = st.sampled_from(["prospect", "new", "churned"])
RFM_GROUPS = st.sampled_from(["champions", "loyal", "lost"])
AMOUNTS_STORED = st.sampled_from([Decimal(0), Decimal("99.99"), Decimal(100)])
BASES = st.sampled_from(["", "explicit", "assumed"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def rows(most: int = 3, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.fixed_dictionaries(columns), max_size=most)


CUSTOMER = st.fixed_dictionaries(
    {
        "branch": st.sampled_from([None, "india", "london"]),
        "gender": st.sampled_from(["", "male", "female"]),
        "birth_date": maybe(DATES),
        "anniversary": maybe(DATES),
        "created_at": MOMENTS,
        "language": st.sampled_from(["en", "hi"]),
        "preferred_channel": st.sampled_from(["whatsapp", "sms"]),
        "phone": st.sampled_from(["", "+919820000001", "+447700900001"]),
        "email": st.sampled_from(["", "a@b.in", "c_d@e.com"]),
        "tags": st.lists(st.sampled_from(TAGS), unique=True),
        "facts": maybe(
            st.fixed_dictionaries(
                {
                    "visit_count": SMALL,
                    "last_visit_at": maybe(MOMENTS),
                    "first_visit_at": maybe(MOMENTS),
                    "total_spend": AMOUNTS_STORED,
                    "spend_90_days": AMOUNTS_STORED,
                    "spend_365_days": AMOUNTS_STORED,
                    "average_ticket": maybe(st.just(Decimal("99.99"))),
                    "due_on": maybe(DAYS_ABOUT),
                    "has_active_package": st.booleans(),
                    "package_expires_on": maybe(DAYS_ABOUT),
                    "package_sessions_left": SMALL,
                    "membership_status": st.sampled_from(["none", "active", "expired"]),
                    "has_active_membership": st.booleans(),
                    "membership_expires_on": maybe(DAYS_ABOUT),
                    "engaged_90_days": SMALL,
                    "last_engaged_at": maybe(MOMENTS),
                    "last_offer_at": maybe(MOMENTS),
                    "discount_90_days": AMOUNTS_STORED,
                    "discount_365_days": AMOUNTS_STORED,
                    "stage": STAGES,
                    "rfm_recency": maybe(SMALL),
                    "rfm_frequency": maybe(SMALL),
                    "rfm_monetary": maybe(SMALL),
                    "rfm_group": maybe(RFM_GROUPS),
                }
            )
        ),
        "consent": maybe(
            st.fixed_dictionaries(
                {
                    **{
                        f"{channel}_{purpose}": st.booleans()
                        for channel in ("whatsapp", "sms", "email")
                        for purpose in ("promotional", "service")
                    },
                    **{f"{channel}_basis": BASES for channel in ("whatsapp", "sms", "email")},
                    "is_dnd": st.booleans(),
                    "marketing_opted_out": st.booleans(),
                }
            )
        ),
        "place": maybe(st.sampled_from(sorted(PLACES))),
        "visits": rows(4, at=MOMENTS, branch=BRANCHES),
        "purchases": rows(
            at=MOMENTS,
            branch=BRANCHES,
            total=st.sampled_from([Decimal(100), Decimal("250.50")]),
            discount=st.sampled_from([Decimal(0), Decimal(5)]),
            services=st.lists(st.sampled_from(sorted(CATEGORY_OF)), unique=True),
        ),
        "events": rows(
            at=MOMENTS,
            name=st.sampled_from(["nps", "cart"]),
            amount=st.sampled_from([None, 100, 900, "900"]),
        ),
        "messages": st.lists(
            st.tuples(st.sampled_from([0, 20, 700, 9000]), CHANNELS, STATES),
            max_size=4,
            unique_by=lambda message: message[0],
        ),
        "rhythms": st.lists(
            st.tuples(st.sampled_from(["hair", "retail"]), DAYS_ABOUT),
            max_size=2,
            unique_by=lambda rhythm: rhythm[0],
        ),
        "plans": st.lists(st.tuples(st.sampled_from(["Gold", "Silver"]), DAYS_ABOUT), max_size=2),
        "packages": st.lists(
            st.tuples(st.sampled_from(["Facials", "Spa"]), st.integers(0, 1), DAYS_ABOUT),
            max_size=2,
        ),
        "points": maybe(
            st.fixed_dictionaries(
                {
                    "available": SMALL,
                    "owed": SMALL,
                    "tier": maybe(st.sampled_from(["gold", "silver"])),
                    "next_expiry_on": maybe(DAYS_ABOUT),
                }
            )
        ),
        "offers": rows(
            at=MOMENTS,
            branch=BRANCHES,
            offer=st.sampled_from(["glow", "over"]),
            paise=st.sampled_from([9_999, 10_000, 25_050]),
            returned=st.sampled_from([0, 50]),
            is_reversed=st.booleans(),
        ),
        "codes": st.lists(
            st.tuples(
                st.sampled_from(["glow", "over", "off"]),
                st.sampled_from(["open", "used", "reserved", "revoked", "expired", "lasting"]),
            ),
            max_size=2,
            unique=True,
        ),
        "friends": st.lists(
            st.sampled_from(["qualified", "rewarded", "invited", "voided"]), max_size=3
        ),
        "came": maybe(st.sampled_from(["attributed", "rewarded", "expired"])),
        "is_listed": st.booleans(),
        "skin": maybe(st.sampled_from(["dry", "Oily", "50% dry"])),
        "miles": maybe(st.sampled_from([0, 1, 2.5, 3])),
        "window": maybe(st.booleans()),
        "wedding": maybe(DAYS_ABOUT),
        "tone": maybe(st.sampled_from(["warm", "cool"])),
    }
)
