"""Amazon SES, version 2, and the SNS topic that carries its events."""

from marketing.delivery.sandbox.vendors.ses import messages, topic
from marketing.delivery.sandbox.vendors.ses.messages import shown
from marketing.delivery.sandbox.vendors.ses.topic import connected, posts

ROUTES = (messages, topic)

__all__ = ["ROUTES", "connected", "posts", "shown"]
