"""What staff note of a customer; each mends and deletes only what she wrote herself."""

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer, CustomerNote
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Forbidden, ValidationFailed


@transaction.atomic
def add_note(*, actor: Actor, customer: Customer, text: str) -> CustomerNote:
    """Write a note that staff see on the customer's page."""
    note = CustomerNote.objects.create(customer=customer, text=_words(text), author=actor.staff)
    audit.record(actor, "customer.note", customer)
    return note


@transaction.atomic
def change_note(*, actor: Actor, note: CustomerNote, text: str) -> CustomerNote:
    """Write one's own note anew. Raises `Forbidden` for somebody else's."""
    note = _own(actor, note)
    words = _words(text)
    if words == note.text:
        return note
    note.text, note.edited_at = words, clock.now()
    note.save(update_fields=["text", "edited_at"])
    audit.record(actor, "customer.change_note", note.customer)
    return note


@transaction.atomic
def delete_note(*, actor: Actor, note: CustomerNote) -> None:
    """Take one's own note away for good. Raises `Forbidden` for somebody else's."""
    note = _own(actor, note)
    note.delete()
    audit.record(actor, "customer.delete_note", note.customer)


def _own(actor: Actor, note: CustomerNote) -> CustomerNote:
    note = CustomerNote.objects.select_for_update(of=("self",)).get(pk=note.pk)
    if actor.staff is None or note.author_id != actor.staff.pk:
        raise Forbidden(_("Only who wrote a note may change or delete it."))
    return note


def _words(text: str) -> str:
    """Raises `ValidationFailed` where there are none."""
    words = text.strip()
    if not words:
        raise ValidationFailed(fields={"text": [_("Write something.")]})
    return words
