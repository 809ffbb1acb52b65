"""What can be done with campaigns, one function a business verb."""

from marketing.campaigns.services.approval import (
    approve_campaign,
    ask_for_changes,
    ids_to_recount,
    recount,
    reject_campaign,
    submit_campaign,
)
from marketing.campaigns.services.comments import comment_on_campaign
from marketing.campaigns.services.drafts import (
    bring_new_offer,
    copy_campaign,
    create_campaign,
    delete_campaign,
    update_campaign,
)
from marketing.campaigns.services.exports import export_recipients
from marketing.campaigns.services.notices import tell_of_budget
from marketing.campaigns.services.retry import retry_failed
from marketing.campaigns.services.runs import (
    note_run_finished,
    note_run_paused,
    resume_after_outage,
    run_if_due,
    start_run,
    waiting_campaign_ids,
)
from marketing.campaigns.services.sending import (
    cancel_campaign,
    pause_campaign,
    resume_campaign,
    schedule_campaign,
    send_campaign,
)
from marketing.campaigns.services.templates import pause_for_stopped_templates
from marketing.campaigns.services.test_sends import send_test

__all__ = [
    "approve_campaign",
    "ask_for_changes",
    "bring_new_offer",
    "cancel_campaign",
    "comment_on_campaign",
    "copy_campaign",
    "create_campaign",
    "delete_campaign",
    "export_recipients",
    "ids_to_recount",
    "note_run_finished",
    "note_run_paused",
    "pause_campaign",
    "pause_for_stopped_templates",
    "recount",
    "reject_campaign",
    "resume_after_outage",
    "resume_campaign",
    "retry_failed",
    "run_if_due",
    "schedule_campaign",
    "send_campaign",
    "send_test",
    "start_run",
    "submit_campaign",
    "tell_of_budget",
    "update_campaign",
    "waiting_campaign_ids",
]
