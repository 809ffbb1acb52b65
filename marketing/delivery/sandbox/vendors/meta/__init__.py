"""Meta's WhatsApp Cloud API."""

from marketing.delivery.sandbox.vendors.meta import messages, numbers, templates
from marketing.delivery.sandbox.vendors.meta.callbacks import inbound, posts, preference
from marketing.delivery.sandbox.vendors.meta.templates import reviewed
from marketing.delivery.sandbox.vendors.meta.text import shown

ROUTES = (messages, templates, numbers)

__all__ = ["ROUTES", "inbound", "posts", "preference", "reviewed", "shown"]
