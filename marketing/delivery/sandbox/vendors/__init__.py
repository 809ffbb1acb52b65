"""The vendors the sandbox speaks as, by the name that accounts give."""

from marketing.delivery.sandbox.vendors import meta, msg91, sendgrid
from marketing.delivery.sandbox.vendors.vendor import Vendor

VENDORS: dict[str, Vendor] = {
    "meta": Vendor(meta.shown, meta.posts, meta.inbound, meta.preference, meta.reviewed),
    "msg91": Vendor(msg91.shown, msg91.posts),
    "sendgrid": Vendor(sendgrid.shown, sendgrid.posts, sendgrid.inbound, public=sendgrid.public),
}
ROUTES = (*meta.ROUTES, msg91, sendgrid)
