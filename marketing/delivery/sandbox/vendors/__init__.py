"""The vendors the sandbox speaks as, by the name that accounts give."""

from marketing.delivery.sandbox.vendors import (
    gupshup,
    meta,
    msg91,
    sendgrid,
    ses,
    smtp,
    ssl_wireless,
    twilio,
)
from marketing.delivery.sandbox.vendors.vendor import Vendor

VENDORS: dict[str, Vendor] = {
    "meta": Vendor(meta.shown, meta.posts, meta.inbound, meta.preference, meta.reviewed),
    "gupshup": Vendor(gupshup.shown, gupshup.posts, gupshup.inbound, gupshup.preference),
    "twilio_whatsapp": Vendor(twilio.shown, twilio.posts, twilio.inbound, has_own_urls=True),
    "msg91": Vendor(msg91.shown, msg91.posts),
    "twilio": Vendor(twilio.shown, twilio.posts, twilio.inbound, has_own_urls=True),
    "ssl_wireless": Vendor(ssl_wireless.shown),
    "sendgrid": Vendor(sendgrid.shown, sendgrid.posts, sendgrid.inbound, public=sendgrid.public),
    "ses": Vendor(ses.shown, ses.posts, connected=ses.connected),
    "smtp": Vendor(ses.shown, public=smtp.public),
}
ROUTES = (*meta.ROUTES, *gupshup.ROUTES, *twilio.ROUTES, msg91, ssl_wireless, sendgrid, *ses.ROUTES)
