"""What mail vendors' events mean, as anymail names them."""

from anymail.signals import EventType

# Who opens, clicks or complains has got the mail. Events of other names change nothing.
STATES = {
    EventType.QUEUED: "sent",
    EventType.SENT: "sent",
    EventType.DELIVERED: "delivered",
    EventType.OPENED: "read",
    EventType.CLICKED: "read",
    EventType.COMPLAINED: "delivered",
    EventType.BOUNCED: "failed",
    EventType.REJECTED: "failed",
    EventType.FAILED: "failed",
}
