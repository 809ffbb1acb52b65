""" "Not", without SQL's third truth value."""

from django.db.models import BooleanField, Case, Q, Value, When


class DoesNotHold(Case):
    """True where `q` is not, also where it cannot be said."""

    def __init__(self, q: Q) -> None:
        self.q = q
        super().__init__(
            When(q, then=Value(False)), default=Value(True), output_field=BooleanField()
        )


def does_not_hold(q: Q) -> Q:
    """The customers of whom `q` is not true: those, too, of whom it cannot be said.

    Django's own `~Q` adds the missing `IS NULL` only where it knows of the outer join at the
    time; below an OR it may not, and then a person without the joined row gets lost.
    """
    return Q(DoesNotHold(q))
