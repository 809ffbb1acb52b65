"""Which messages can tell a notice, and which are chosen."""

from marketing.content import merge_fields
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.content.selectors import current_versions
from marketing.referrals.merge_fields import NOTICE_FIELDS
from marketing.referrals.models import NoticeTemplate


def chosen_notices() -> dict[tuple[str, str], NoticeTemplate]:
    """By kind and channel; a kind without any is not told."""
    rows = NoticeTemplate.objects.select_related("template").order_by("pk")
    return {(row.kind, row.channel): row for row in rows}


def messages_for_notices() -> list[MessageTemplate]:
    """Messages in use that need nothing which a campaign would have to give; those that name
    referrals first."""
    used = MessageTemplate.objects.filter(is_active=True).values_list("pk", flat=True)
    fitting = [row for row in current_versions(list(used)).values() if fits_notices(row)]
    fitting.sort(key=lambda row: (not _names_referral(row), row.template.name))
    return [row.template for row in fitting]


def fits_notices(version: TemplateVersion) -> bool:
    """Whether a notice has all that the message names."""
    fields = [merge_fields.get(name) for name in version.placeholders]
    return not version.slots and all(
        field is not None and (not field.is_given or field.name in NOTICE_FIELDS)
        for field in fields
    )


def _names_referral(version: TemplateVersion) -> bool:
    return any(name in NOTICE_FIELDS for name in version.placeholders)
