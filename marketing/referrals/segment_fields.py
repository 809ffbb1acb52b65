"""What rules ask about referrals."""

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from marketing.referrals import rules
from marketing.referrals.models import Referral
from marketing.segments.fields import SegmentField, register
from marketing.segments.sources import Computed
from marketing.segments.value_types import Choice, Number

GROUP = _("Referrals")
BROUGHT = sorted(rules.CONVERTED)


def register_segment_fields() -> None:
    """Called once, while apps are loaded."""
    register(
        SegmentField(
            "friends_brought", _("Friends she brought"), Number(), Computed(_brought()), GROUP,
            sample=1,
        ),
        SegmentField(
            "referral_status",
            _("Was brought by a friend"),
            Choice(),
            Computed(_status()),
            GROUP,
            choices=lambda: [
                (str(value), label)
                for value, label in Referral.State.choices
                if value not in rules.FREE
            ],
            sample=rules.REWARDED,
        ),
    )  # fmt: skip


def _rows() -> QuerySet[Referral]:
    """Without the manager, which would ask for a tenant scope while apps are loaded."""
    return QuerySet(Referral).order_by()


def _brought() -> Subquery:
    rows = _rows().filter(referrer=OuterRef("pk"), state__in=BROUGHT)
    counted = rows.values("referrer").annotate(n=Count("pk")).values("n")
    return Subquery(counted, output_field=IntegerField())


def _status() -> Subquery:
    rows = _rows().filter(friend=OuterRef("pk")).exclude(state__in=rules.FREE)
    return Subquery(rows.values("state")[:1])
