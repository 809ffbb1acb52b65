"""Twilio's Messages resource, for SMS and for WhatsApp."""

from marketing.delivery.sandbox.vendors.twilio import messages, reading
from marketing.delivery.sandbox.vendors.twilio.callbacks import inbound, posts
from marketing.delivery.sandbox.vendors.twilio.messages import shown

ROUTES = (messages, reading)

__all__ = ["ROUTES", "inbound", "posts", "shown"]
