"""Gupshup's WhatsApp API for self-serve apps."""

from marketing.delivery.sandbox.vendors.gupshup import messages
from marketing.delivery.sandbox.vendors.gupshup.callbacks import inbound, posts, preference
from marketing.delivery.sandbox.vendors.gupshup.messages import shown

ROUTES = (messages,)

__all__ = ["ROUTES", "inbound", "posts", "preference", "shown"]
