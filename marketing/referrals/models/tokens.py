"""By what customers paid and booked, known again without being kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketing.core.tenancy import LooseTenantModel, loose_key
from marketing.referrals import rules


class SeenToken(LooseTenantModel):
    """A customer's bill or sign-up came with this token: its keyed hash, never the token.

    A row for each key that is in force. Goes after `rules.TOKEN_LASTS`, and with the person.
    """

    class Kind(models.TextChoices):
        INSTRUMENT = rules.INSTRUMENT, _("Card, UPI account or wallet")
        DEVICE = rules.DEVICE, _("Device")

    customer = loose_key("customers.Customer", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    digest = models.BinaryField(max_length=32)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "digest", "customer"], name="seen_token"
            )
        ]
        indexes = [
            models.Index(fields=["customer"], name="seen_token_of"),
            models.Index(fields=["tenant", "seen_at"], name="seen_token_age"),
        ]
