"""Everything that changes a customer; every change is atomic, audited and told upwards."""

from customers.facts import mark_stale
from customers.services.activity import (
    BillLine,
    Happening,
    record_events,
    record_membership,
    record_package,
    record_purchase,
    record_visit,
)
from customers.services.catalogue import put_categories, put_services
from customers.services.consent import opt_out, record_consent
from customers.services.contact_points import add_contact_point
from customers.services.customers import add_note, create_customer, update_customer
from customers.services.opt_outs import opt_out_address, opt_out_by_link
from customers.services.person import erase_customer, export_customer
from customers.services.suppression import (
    lift_opt_outs,
    suppress_address,
    suppress_addresses,
)
from customers.services.whatsapp_ids import note_whatsapp_id, use_whatsapp_ids
from customers.services.withdrawals import reopen_consent, set_dnd_for_many, withdraw_for_many

__all__ = [
    "BillLine",
    "Happening",
    "add_contact_point",
    "add_note",
    "create_customer",
    "erase_customer",
    "export_customer",
    "lift_opt_outs",
    "mark_stale",
    "note_whatsapp_id",
    "opt_out",
    "opt_out_address",
    "opt_out_by_link",
    "put_categories",
    "put_services",
    "record_consent",
    "record_events",
    "record_membership",
    "record_package",
    "record_purchase",
    "record_visit",
    "reopen_consent",
    "set_dnd_for_many",
    "suppress_address",
    "suppress_addresses",
    "update_customer",
    "use_whatsapp_ids",
    "withdraw_for_many",
]
