from django.apps import AppConfig
from django.utils.translation import gettext_lazy, gettext_noop


class SegmentsConfig(AppConfig):
    name = "marketing.segments"
    label = "segments"

    def ready(self) -> None:
        from customers import changed, merging, panels
        from marketing.core.context import NAVIGATION
        from marketing.segments import handlers  # noqa: F401  subscribes
        from marketing.segments.contact_fields import register_contact_fields
        from marketing.segments.customer_behaviours import register_customer_behaviours
        from marketing.segments.customer_fields import register_customer_fields
        from marketing.segments.customer_panel import segments_now
        from marketing.segments.prepaid_fields import register_prepaid_fields
        from marketing.segments.services import mark_for_recheck

        register_customer_fields()
        register_prepaid_fields()
        register_contact_fields()
        register_customer_behaviours()
        changed.register(mark_for_recheck)
        # Who is in a rule's segment is the rule's to say: the next refresh writes it.
        merging.register_single_rows(
            "segments.SegmentMember",
            key="segment_id",
            only="segment_id IN (SELECT id FROM segments_segment WHERE NOT is_dynamic)",
        )
        merging.leave(
            "segments.MembershipChange", "customer_id", "news of one refresh, kept for a week"
        )
        merging.leave("segments.StaleMember", "customer_id", "a mark of who is to be judged again")
        NAVIGATION.append((gettext_noop("Segments"), "segment-list", "users-group", "segment.view"))
        panels.register(
            gettext_lazy("In these segments"),
            "segments/_customer.html",
            segments_now,
            "segment.view",
        )
