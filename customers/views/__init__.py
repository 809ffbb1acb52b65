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
from customers.views.public import unsubscribe

__all__ = [
    "customer_consent",
    "customer_detail",
    "customer_edit",
    "customer_erase",
    "customer_export",
    "customer_list",
    "customer_new",
    "customer_note",
    "customer_timeline",
    "unsubscribe",
]
