from marketing.content.services.definitions import (
    copy_template,
    create_template,
    deactivate_template,
    require_unlocked,
    update_template,
)
from marketing.content.services.links import check_links, judge_link
from marketing.content.services.prebuilt import ensure_system_templates
from marketing.content.services.whatsapp import hand_in, may_submit, submit_whatsapp
from marketing.content.services.whatsapp_news import apply_whatsapp_status

__all__ = [
    "apply_whatsapp_status",
    "check_links",
    "copy_template",
    "create_template",
    "deactivate_template",
    "ensure_system_templates",
    "hand_in",
    "judge_link",
    "may_submit",
    "require_unlocked",
    "submit_whatsapp",
    "update_template",
]
