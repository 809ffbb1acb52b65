"""What can be done with campaigns, one function a business verb."""

from marketing.campaigns.services.approval import (
    approve_campaign,
    ask_for_changes,
    reject_campaign,
    submit_campaign,
)
from marketing.campaigns.services.drafts import (
    copy_campaign,
    create_campaign,
    delete_campaign,
    update_campaign,
)
from marketing.campaigns.services.sending import (
    cancel_campaign,
    pause_campaign,
    resume_campaign,
    schedule_campaign,
    send_campaign,
    send_test,
)

__all__ = [
    "approve_campaign",
    "ask_for_changes",
    "cancel_campaign",
    "copy_campaign",
    "create_campaign",
    "delete_campaign",
    "pause_campaign",
    "reject_campaign",
    "resume_campaign",
    "schedule_campaign",
    "send_campaign",
    "send_test",
    "submit_campaign",
    "update_campaign",
]
