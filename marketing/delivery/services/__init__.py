"""What can be done with runs and messages, one function a business verb."""

from marketing.delivery.services.cascade import sweep_fallbacks
from marketing.delivery.services.freeze import FreezeResult, freeze_run
from marketing.delivery.services.overdraft import stop_an_overdrawn_run
from marketing.delivery.services.retention import drop_old_partitions, drop_old_webhooks
from marketing.delivery.services.retry import discard_failed, retry_failed
from marketing.delivery.services.runs import (
    cancel_run,
    create_run,
    finish_done_runs,
    finish_run_if_done,
    pause_run,
    resume_if_mended,
    resume_run,
    skip_cancelled,
    skip_rest_of_cancelled,
)
from marketing.delivery.services.settlement import expect_no_more, settle_due
from marketing.delivery.services.single import send_test
from marketing.delivery.services.withdrawal import withdraw_messages

# Last: what it calls imports the verbs above.
from marketing.delivery.services.background import (  # isort: skip
    consume_webhooks,
    dispatch_due,
    look_up_unknown,
    sweep_batches,
)
from marketing.delivery.services.decisions import decide_unknown  # isort: skip

__all__ = [
    "FreezeResult",
    "cancel_run",
    "consume_webhooks",
    "create_run",
    "decide_unknown",
    "discard_failed",
    "dispatch_due",
    "drop_old_partitions",
    "drop_old_webhooks",
    "expect_no_more",
    "finish_done_runs",
    "finish_run_if_done",
    "freeze_run",
    "look_up_unknown",
    "pause_run",
    "resume_if_mended",
    "resume_run",
    "retry_failed",
    "send_test",
    "settle_due",
    "skip_cancelled",
    "skip_rest_of_cancelled",
    "stop_an_overdrawn_run",
    "sweep_batches",
    "sweep_fallbacks",
    "withdraw_messages",
]
