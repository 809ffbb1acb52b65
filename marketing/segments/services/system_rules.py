"""The built-in segments: Module 11's seven, and the fifty of the market in salon terms.

An entry that `needs` fields which no engine registers yet is waiting: it is written down here
and made once they are all there. `docs/segments.md` says which of the fifty each one is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as _

Rules = Mapping[str, Any]


@dataclass(frozen=True)
class SystemSegment:
    name: str
    description: str
    rules: Rules
    needs: tuple[str, ...] = ()


def _all(*conditions: Rules) -> Rules:
    return {"operator": "AND", "conditions": list(conditions)}


def _any(*conditions: Rules) -> Rules:
    return {"operator": "OR", "conditions": list(conditions)}


def _none(*conditions: Rules) -> Rules:
    return {"operator": "NOT", "conditions": list(conditions)}


def _field(field: str, op: str, value: Any = None) -> Rules:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def _where(field: str, op: str, value: Any = None) -> Rules:
    return _all(_field(field, op, value))


def _count(kind: str, where: Rules, op: str, times: int, days: int) -> Rules:
    return {kind: where, "count": {"op": op, "value": times}, "within": {"days": days}}


def _event(name: str, times: int = 1, days: int = 365, **properties: Any) -> Rules:
    """At least so many events of a name; each property equals its value, or `{"op", "value"}`."""
    where = {"name": name} | {f"property.{key}": value for key, value in properties.items()}
    return _count("event", where, "gte", times, days)


_RETAIL = {"category_name": {"op": "contains", "value": "retail"}}
_WEEKEND = {"weekday": ["saturday", "sunday"]}
_WORKDAYS = {"weekday": ["monday", "tuesday", "wednesday", "thursday", "friday"]}
_MAIL = {"channel": "email"}
_OPENED_MAIL = {"channel": "email", "state": "read"}

MODULE_11 = (
    SystemSegment(_("New Customers"), _("Came once."), _where("visit_count", "eq", 1)),
    SystemSegment(_("Repeat Customers"), _("Came more than once."), _where("visit_count", "gt", 1)),
    SystemSegment(
        _("Inactive Customers (30+ days)"),
        _("Did not come for more than 30 days."),
        _where("last_visit_days", "gt", 30),
    ),
    SystemSegment(
        _("High-Value Customers"),
        _("Spent more than 10,000 in all."),
        _where("total_spend", "gt", 10000),
    ),
    SystemSegment(
        _("Package Holders"),
        _("Have sessions left in a package."),
        _where("has_active_package", "eq", True),
    ),
    SystemSegment(
        _("Members"),
        _("Have a membership that runs."),
        _where("has_active_membership", "eq", True),
    ),
    SystemSegment(
        _("Birthday This Month"),
        _("Celebrate their birthday this month."),
        _where("birthday_month", "eq", "current"),
    ),
)

SALES = (
    SystemSegment(
        _("High Spenders This Year"),
        _("Spent more than 20,000 in the last 365 days."),
        _where("spend_365_days", "gt", 20000),
    ),
    SystemSegment(
        _("VIP Customers"),
        _("Among those who spend and come the most."),
        _all(_field("rfm_monetary", "eq", 5), _field("rfm_frequency", "eq", 5)),
    ),
    SystemSegment(
        _("Group Bookers"),
        _("Booked for a party of several people in the last year (event group_booking)."),
        _all(_event("group_booking")),
    ),
    SystemSegment(
        _("Corporate Customers"),
        _("Come through a company (tag corporate)."),
        _where("tags", "contains", "corporate"),
    ),
    SystemSegment(
        _("Last-Minute Bookers"),
        _("Booked for the same or the next day at least twice in half a year (event booking)."),
        _all(_event("booking", 2, 180, days_ahead={"op": "lte", "value": 1})),
    ),
    SystemSegment(
        _("Early Planners"),
        _("Booked a week or more ahead at least twice in half a year (event booking)."),
        _all(_event("booking", 2, 180, days_ahead={"op": "gte", "value": 7})),
    ),
    SystemSegment(
        _("Discount Seekers"),
        _("Had a discount on at least three bills in the last year."),
        _all(_count("purchase", {"discount": {"op": "gt", "value": 0}}, "gte", 3, 365)),
    ),
    SystemSegment(
        _("Premium Seekers"),
        _("Their average bill is 3,000 or more."),
        _where("average_ticket", "gte", 3000),
    ),
)

PLACES = (
    SystemSegment(
        _("Indian Phone Numbers"),
        _("Have a phone number of India."),
        _where("phone", "starts_with", "+91"),
    ),
    SystemSegment(
        _("Foreign Phone Numbers"),
        _("Have a phone number of another country."),
        _all(_field("phone", "is_set"), _none(_field("phone", "starts_with", "+91"))),
    ),
    SystemSegment(
        _("Destination Guests"),
        _("Came for a wedding or while travelling in the last year (event destination_visit)."),
        _all(_event("destination_visit")),
    ),
    SystemSegment(
        _("Readers of Hindi"),
        _("Are written to in Hindi."),
        _where("language", "eq", "hi"),
    ),
    SystemSegment(
        _("Colour Regulars"),
        _("Had a colour service in the last year."),
        _all(
            _count(
                "purchase", {"service_name": {"op": "contains", "value": "colour"}}, "gte", 1, 365
            )
        ),
    ),
)

HABITS = (
    SystemSegment(
        _("Frequent Visitors"),
        _("Came at least ten times in the last year."),
        _all(_count("visit", {}, "gte", 10, 365)),
    ),
    SystemSegment(
        _("Festive Season Visitors"),
        _("Came in October or November, and seldom in other months of the last year."),
        _all(
            _count("visit", {"month": ["october", "november"]}, "gte", 1, 365),
            _count(
                "visit",
                {"month": {"op": "not_in", "value": ["october", "november"]}},
                "lte",
                1,
                365,
            ),
        ),
    ),
    SystemSegment(
        _("Weekend Visitors"),
        _("Came at least twice in half a year, always on a Saturday or Sunday."),
        _all(_count("visit", _WEEKEND, "gte", 2, 180), _count("visit", _WORKDAYS, "eq", 0, 180)),
    ),
    SystemSegment(
        _("Weekday Visitors"),
        _("Came at least twice in half a year, never on a Saturday or Sunday."),
        _all(_count("visit", _WORKDAYS, "gte", 2, 180), _count("visit", _WEEKEND, "eq", 0, 180)),
    ),
    SystemSegment(
        _("App Bookers"),
        _("Booked in the app in the last half year (event booking)."),
        _all(_event("booking", days=180, channel="app")),
    ),
    SystemSegment(
        _("Web Bookers"),
        _("Booked on the website in the last half year (event booking)."),
        _all(_event("booking", days=180, channel="web")),
    ),
    SystemSegment(
        _("Front Desk Bookers"),
        _("Booked by phone or at the desk in the last half year (event booking)."),
        _all(_event("booking", days=180, channel="desk")),
    ),
)

LIFE_CYCLE = (
    SystemSegment(
        _("New in the Last 30 Days"),
        _("Came for the first time in the last 30 days."),
        _where("first_visit_days", "within_last", 30),
    ),
    SystemSegment(
        _("Active Customers"),
        _("Come as they should: stage active or engaged."),
        _where("stage", "in", ["active", "engaged"]),
    ),
    SystemSegment(
        _("At-Risk Customers"),
        _("Have begun to stay away: stage at risk."),
        _where("stage", "eq", "at_risk"),
    ),
    SystemSegment(
        _("Churned Customers"), _("Stayed away: stage churned."), _where("stage", "eq", "churned")
    ),
    SystemSegment(
        _("Reactivated Customers"),
        _("Came back after having stayed away: stage reactivated."),
        _where("stage", "eq", "reactivated"),
    ),
    SystemSegment(
        _("Win-Back Candidates"),
        _("Stayed away, were worth 5,000 or more and still hear from us."),
        _all(
            _field("stage", "in", ["at_risk", "churned"]),
            _field("total_spend", "gte", 5000),
            _field("marketing_opted_out", "eq", False),
        ),
    ),
)

ENGAGEMENT = (
    SystemSegment(
        _("E-mail Engaged"),
        _("Opened at least two e-mails in 90 days."),
        _all(_count("message", _OPENED_MAIL, "gte", 2, 90)),
    ),
    SystemSegment(
        _("E-mail Disengaged"),
        _("Opened none of the last three e-mails."),
        _all(
            _count("message", _MAIL, "gte", 1, 365),
            {"message": _OPENED_MAIL, "last": 3, "count": {"op": "eq", "value": 0}},
        ),
    ),
    SystemSegment(
        _("SMS Opted-In"), _("Agreed to offers by SMS."), _where("sms_consent", "eq", True)
    ),
    SystemSegment(
        _("App Users"),
        _("Opened the app in the last 90 days (event app_opened)."),
        _all(_event("app_opened", days=90)),
    ),
    SystemSegment(
        _("Loyalty Members"),
        _("Have points, or a membership."),
        _any(_field("points_balance", "gt", 0), _field("has_active_membership", "eq", True)),
        needs=("points_balance",),
    ),
    SystemSegment(
        _("Social Media Followers"),
        _("Follow us (tag follower)."),
        _where("tags", "contains", "follower"),
    ),
)

TASTE = (
    SystemSegment(
        _("Retail Buyers"),
        _("Bought something of a retail category in the last year."),
        _all(_count("purchase", _RETAIL, "gte", 1, 365)),
    ),
    SystemSegment(
        _("Upgrade Takers"),
        _("Took a better service than booked in the last year (event upgrade)."),
        _all(_event("upgrade")),
    ),
    SystemSegment(
        _("Package Buyers"),
        _("Have a package that runs, or had one."),
        _where("package_expires_days", "is_set"),
    ),
    SystemSegment(
        _("No Retail Yet"),
        _("Came in the last year, and bought nothing of a retail category."),
        _all(_field("last_visit_days", "lte", 365), _count("purchase", _RETAIL, "eq", 0, 365)),
    ),
)

FORECAST = (
    SystemSegment(
        _("High Churn Risk"),
        _("Overdue by their own rhythm for more than 60 days."),
        _where("overdue_days", "gt", 60),
    ),
    SystemSegment(
        _("Medium Churn Risk"),
        _("Overdue by their own rhythm for up to 60 days."),
        _where("overdue_days", "between", [1, 60]),
    ),
    SystemSegment(
        _("Due Soon"),
        _("Should come in the next 30 days to keep to their own rhythm."),
        _where("due_in_days", "within_next", 30),
    ),
    SystemSegment(
        _("High Lifetime Value"),
        _("Champions and loyal customers who spent 20,000 or more in a year."),
        _all(
            _field("rfm_group", "in", ["champions", "loyal"]),
            _field("spend_365_days", "gte", 20000),
        ),
    ),
)

SPECIAL = (
    SystemSegment(
        _("Anniversary This Month"),
        _("Celebrate their anniversary this month."),
        _where("anniversary_month", "eq", "current"),
    ),
    SystemSegment(
        _("Abandoned Booking"),
        _("Left a booking unfinished in the last 7 days and did not come since."),
        _all(_event("cart_abandoned", days=7), _count("visit", {}, "eq", 0, 7)),
    ),
    SystemSegment(
        _("Looked but Did Not Book"),
        _("Looked for a time in the last 30 days and neither booked nor came."),
        _all(
            _event("search", days=30),
            _count("event", {"name": "booking"}, "eq", 0, 30),
            _count("visit", {}, "eq", 0, 30),
        ),
    ),
    SystemSegment(
        _("Complained Recently"),
        _("Complained in the last 30 days (event complaint)."),
        _all(_event("complaint", days=30)),
    ),
    SystemSegment(
        _("Promoters"),
        _("Gave 9 or 10 of 10 in the last half year (event nps)."),
        _all(_event("nps", days=180, score={"op": "gte", "value": 9})),
    ),
    SystemSegment(
        _("Detractors"),
        _("Gave 6 of 10 or less in the last half year (event nps)."),
        _all(_event("nps", days=180, score={"op": "lte", "value": 6})),
    ),
    SystemSegment(
        _("Referral Participants"),
        _("Referred somebody, or came by referral."),
        _any(_field("friends_brought", "gt", 0), _field("referral_status", "is_set")),
        needs=("friends_brought", "referral_status"),
    ),
)

SYSTEM_SEGMENTS: Mapping[str, SystemSegment] = {
    each.name: each
    for each in (
        *MODULE_11,
        *SALES,
        *PLACES,
        *HABITS,
        *LIFE_CYCLE,
        *ENGAGEMENT,
        *TASTE,
        *FORECAST,
        *SPECIAL,
    )
}
