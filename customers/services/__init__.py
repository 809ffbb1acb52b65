"""Everything that changes a customer; every change is atomic, audited and told upwards."""

from customers.facts import mark_stale
from customers.services.activity import (
    BillLine,
    record_membership,
    record_package,
    record_purchase,
    record_visit,
)
from customers.services.catalogue import put_categories, put_services
from customers.services.consent import opt_out, record_consent
from customers.services.contact_points import add_contact_point
from customers.services.customers import create_customer, update_customer
from customers.services.duplicates import dismiss_duplicate, find_duplicates
from customers.services.merge import forget_old_merges, merge_customers, undo_merge
from customers.services.notes import add_note, change_note, delete_note
from customers.services.opt_outs import opt_out_address, opt_out_by_link
from customers.services.person import erase_customer, export_customer
from customers.services.preferences import put_preferences
from customers.services.refunds import refund_purchase, void_purchase
from customers.services.reported import ReportedEvent, record_events
from customers.services.scoring import update_scoring
from customers.services.suppression import (
    lift_opt_outs,
    suppress_address,
    suppress_addresses,
)
from customers.services.whatsapp_ids import note_whatsapp_id, use_whatsapp_ids
from customers.services.withdrawals import reopen_consent, set_dnd_for_many, withdraw_for_many

__all__ = [
    "BillLine",
    "ReportedEvent",
    "add_contact_point",
    "add_note",
    "change_note",
    "create_customer",
    "delete_note",
    "dismiss_duplicate",
    "erase_customer",
    "export_customer",
    "find_duplicates",
    "forget_old_merges",
    "lift_opt_outs",
    "mark_stale",
    "merge_customers",
    "note_whatsapp_id",
    "opt_out",
    "opt_out_address",
    "opt_out_by_link",
    "put_categories",
    "put_preferences",
    "put_services",
    "record_consent",
    "record_events",
    "record_membership",
    "record_package",
    "record_purchase",
    "record_visit",
    "refund_purchase",
    "reopen_consent",
    "set_dnd_for_many",
    "suppress_address",
    "suppress_addresses",
    "undo_merge",
    "update_customer",
    "update_scoring",
    "use_whatsapp_ids",
    "void_purchase",
    "withdraw_for_many",
]
