from marketing.followups.selectors.inactive import (
    InactiveCustomer,
    describe_visits,
    last_visits_before,
)
from marketing.followups.selectors.reminders import (
    Due,
    colleagues_for_actor,
    counts_by_due,
    due_for_actor,
    followups_for_actor,
    followups_of,
    get_colleague_for_actor,
    get_followup_for_actor,
    own_followups,
    where_due,
    zone_of_staff,
)

__all__ = [
    "Due",
    "InactiveCustomer",
    "colleagues_for_actor",
    "counts_by_due",
    "describe_visits",
    "due_for_actor",
    "followups_for_actor",
    "followups_of",
    "get_colleague_for_actor",
    "get_followup_for_actor",
    "last_visits_before",
    "own_followups",
    "where_due",
    "zone_of_staff",
]
