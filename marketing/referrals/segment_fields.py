"""What rules ask about referrals."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from marketing.referrals import rules
from marketing.referrals.models import Referral
from marketing.segments.fields import SegmentField, register
from marketing.segments.sources import Lasting
from marketing.segments.value_types import Choice, Number

GROUP = _("Referrals")


@dataclass(frozen=True)
class FriendsBrought(Lasting):
    """How many friends came by her; missing for who brought none.

    Asked of the referrals, of which there are few, and not of each customer.
    """

    def compare(self, lookup: str, value: Any) -> Q:
        counted = self._rows().values("referrer").annotate(n=Count("pk"))
        return Q(pk__in=counted.filter(**{f"n__{lookup}": value}).values("referrer"))

    def is_known(self) -> Q:
        return Q(pk__in=self._rows().values("referrer"))

    def expression(self) -> Combinable:
        hers = self._rows().filter(referrer=OuterRef("pk")).values("referrer")
        return Subquery(hers.annotate(n=Count("pk")).values("n"), output_field=IntegerField())

    def _rows(self) -> QuerySet[Referral]:
        return Referral.objects.filter(state__in=rules.CONVERTED).order_by()


@dataclass(frozen=True)
class HowSheCame(Lasting):
    """The state of the referral that brought her; missing for who came by herself."""

    def compare(self, lookup: str, value: Any) -> Q:
        return Q(pk__in=self._rows().filter(**{f"state__{lookup}": value}).values("friend"))

    def is_known(self) -> Q:
        return Q(pk__in=self._rows().values("friend"))

    def expression(self) -> Combinable:
        hers = self._rows().filter(friend=OuterRef("pk"))
        return Subquery(hers.annotate(said=F("state")).values("said")[:1])

    def _rows(self) -> QuerySet[Referral]:
        rows = Referral.objects.filter(friend__isnull=False)
        return rows.exclude(state__in=rules.FREE).order_by()


def register_segment_fields() -> None:
    """Called once, while apps are loaded."""
    register(
        SegmentField(
            "friends_brought",
            _("Friends she brought"),
            Number(),
            FriendsBrought(),
            GROUP,
            sample=1,
        ),
        SegmentField(
            "referral_status",
            _("Was brought by a friend"),
            Choice(),
            HowSheCame(),
            GROUP,
            choices=lambda: [
                (str(value), label)
                for value, label in Referral.State.choices
                if value not in rules.FREE
            ],
            sample=rules.REWARDED,
        ),
    )
