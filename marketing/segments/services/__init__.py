from marketing.segments.services.definitions import (
    copy_segment,
    create_segment,
    delete_segment,
    may_change,
    update_segment,
)
from marketing.segments.services.membership import MAX_MEMBERS, is_followed
from marketing.segments.services.recheck import mark_for_recheck, recheck_marked
from marketing.segments.services.refresh import refresh_all, refresh_segment
from marketing.segments.services.system import ensure_system_segments

__all__ = [
    "MAX_MEMBERS",
    "copy_segment",
    "create_segment",
    "delete_segment",
    "ensure_system_segments",
    "is_followed",
    "mark_for_recheck",
    "may_change",
    "recheck_marked",
    "refresh_all",
    "refresh_segment",
    "update_segment",
]
