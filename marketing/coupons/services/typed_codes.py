"""The code of an offer that everybody may type."""

from django.db import connection
from django.utils.translation import gettext as _

from marketing.core import clock
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant_id
from marketing.coupons.code_symbols import is_typed_code, key_of, normalise
from marketing.coupons.models import CatalogueMark, CouponCode, Offer
from marketing.coupons.selectors.catalogue import live_offers

INSERT = """
INSERT INTO coupons_couponcode (tenant_id, offer_id, code, key) VALUES (%s, %s, %s, %s)
ON CONFLICT (tenant_id, key) DO UPDATE SET revoked_at = NULL, code = excluded.code
WHERE coupons_couponcode.offer_id = excluded.offer_id AND coupons_couponcode.batch_id IS NULL
RETURNING id
"""


def set_typed_code(offer: Offer, text: str) -> None:
    """Let `text` open the offer in the place of the code before; empty: none does.

    Raises `ValidationFailed` at `code` for signs that codes have not, one that is taken, and one
    that would be mistaken for a generated code.
    """
    now = clock.now()
    if offer.code:
        CouponCode.objects.filter(offer=offer, key=key_of(offer.code), batch=None).update(
            revoked_at=now
        )
    code = normalise(text)
    if code:
        if not is_typed_code(code):
            raise ValidationFailed(
                fields={"code": [_("3 to 50 letters, digits and hyphens, please.")]}
            )
        token = CatalogueMark.objects.values_list("token", flat=True).first()
        if live_offers(token, now).fails_check(key_of(code)):
            raise ValidationFailed(
                fields={"code": [_("This looks like a misread generated code; choose another.")]}
            )
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [current_tenant_id(), offer.pk, code, key_of(code)])
            if cursor.fetchone() is None:
                raise ValidationFailed(fields={"code": [_("This code is taken.")]})
    offer.code = code
    Offer.objects.filter(pk=offer.pk).update(code=code)
