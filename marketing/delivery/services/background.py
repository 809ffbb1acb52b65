"""What delivery does by itself: send what is due, settle what was lost, apply webhooks."""

from marketing.delivery.dispatch import reconciliation, recovery, worker
from marketing.delivery.webhooks import consumer


def dispatch_due() -> bool:
    """Send due batches for up to 40 seconds; returns whether more may be due."""
    return worker.run()


def sweep_batches() -> bool:
    """Call unknown what was under way for too long; returns whether batches are due."""
    return recovery.sweep()


def consume_webhooks() -> int:
    """Apply what vendors reported; returns how many requests were applied."""
    return consumer.consume_due()


def look_up_unknown() -> None:
    """Ask vendors for messages whose answer was lost."""
    reconciliation.look_up_unknown()
