from customers.views.consent import consent_proof
from customers.views.customers import (
    customer_consent,
    customer_detail,
    customer_edit,
    customer_erase,
    customer_export,
    customer_list,
    customer_new,
    customer_note,
    customer_timeline,
)
from customers.views.merging import (
    duplicate_dismiss,
    duplicate_list,
    merge_choose,
    merge_compare,
    merge_undo,
)
from customers.views.notes import note_delete, note_edit
from customers.views.public import preferences, unsubscribe

__all__ = [
    "consent_proof",
    "customer_consent",
    "customer_detail",
    "customer_edit",
    "customer_erase",
    "customer_export",
    "customer_list",
    "customer_new",
    "customer_note",
    "customer_timeline",
    "duplicate_dismiss",
    "duplicate_list",
    "merge_choose",
    "merge_compare",
    "merge_undo",
    "note_delete",
    "note_edit",
    "preferences",
    "unsubscribe",
]
