"""Segments made, changed, copied and taken away."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, Forbidden, ValidationFailed
from marketing.segments.compiler import compile_tree
from marketing.segments.context import RuleContext
from marketing.segments.models import Segment, SegmentType
from marketing.segments.selectors import members_for_actor, narrow_branches, segments_for_actor
from marketing.segments.services.membership import chosen_customers, write_difference
from marketing.segments.services.refresh import refresh_segment
from marketing.segments.services.versions import keep_version
from marketing.segments.usage import users_of

MAX_NAME = 100
MAX_DESCRIPTION = 2000


@transaction.atomic
def create_segment(
    *,
    actor: Actor,
    name: str,
    description: str = "",
    rules: Mapping[str, Any] | None = None,
    branch_ids: Sequence[uuid.UUID] | None = None,
    customer_ids: Sequence[uuid.UUID] | None = None,
) -> Segment:
    """Make a segment and count it: dynamic from `rules`, or static from `customer_ids`.

    `branch_ids` None means every branch, or all of the actor's when they have only some.
    Raises `ValidationFailed` with each field, or each condition, at fault.
    """
    actor.require("segment.manage")
    if (rules is None) == (customer_ids is None):
        raise ValidationFailed(
            fields={
                "rules": [_("Give rules for a dynamic segment, or customers for a static one.")]
            }
        )
    segment = Segment(
        name=_clean_name(name),
        description=_clean_description(description),
        branch_ids=narrow_branches(actor, branch_ids),
        is_dynamic=rules is not None,
        rules={} if rules is None else rules,
        created_by=actor.user,
    )
    if rules is not None:
        _check_rules(actor, segment)
    segment.save()
    keep_version(segment, actor.user)
    if customer_ids is not None:
        write_difference(segment, chosen_customers(actor, customer_ids))
    audit.record(actor, "segment.create", segment, {"name": segment.name, "rules": segment.rules})
    return refresh_segment(actor=actor, segment=segment)


@transaction.atomic
def update_segment(
    *, actor: Actor, segment: Segment, values: Mapping[str, Any], version: int | None = None
) -> Segment:
    """Change `name`, `description`, `branch_ids`, and `rules` or `customer_ids` by its kind.

    Raises `Conflict` for a built-in segment, and when `version` is given and no longer the
    segment's; `details["current"]` is then the present version.
    """
    segment = _to_change(actor, segment)
    if version is not None and version != segment.version:
        raise Conflict(details={"current": segment.version})
    wrong_kind = "customer_ids" if segment.is_dynamic else "rules"
    if wrong_kind in values:
        message = _("A segment stays dynamic or static for good; make another one.")
        wire_name = "customerIds" if segment.is_dynamic else "rules"
        raise ValidationFailed(fields={wire_name: [message]})
    cleaned = _cleaned(actor, values)
    changes: dict[str, Any] = audit.difference(segment, cleaned)
    for name, value in cleaned.items():
        setattr(segment, name, value)
    if segment.is_dynamic:
        _check_rules(actor, segment)
    if "customer_ids" in values:
        chosen = chosen_customers(actor, values["customer_ids"])
        changes["members"] = len(values["customer_ids"])
        write_difference(segment, chosen)
    if not changes:
        return segment
    segment.version += 1
    segment.save()
    keep_version(segment, actor.user)
    audit.record(actor, "segment.update", segment, changes)
    return refresh_segment(actor=actor, segment=segment)


@transaction.atomic
def delete_segment(*, actor: Actor, segment: Segment) -> None:
    """Take a segment out of use; its row stays for what was sent to it.

    Raises `Conflict` while something uses it: `details["usedBy"]` lists what.
    """
    segment = _to_change(actor, segment)
    users = users_of(segment)
    if users:
        raise Conflict(
            _("This segment is in use: %(users)s.") % {"users": ", ".join(u.name for u in users)},
            details={"usedBy": [{"kind": u.kind, "name": u.name, "url": u.url} for u in users]},
        )
    segment.is_active = False
    segment.save()
    audit.record(actor, "segment.delete", segment, {"name": segment.name})


@transaction.atomic
def copy_segment(*, actor: Actor, segment: Segment, name: str = "") -> Segment:
    """A custom segment with the same rules or members, within the actor's branches."""
    actor.require("segment.manage")
    branch_ids = segment.branch_ids
    if branch_ids is not None:
        branch_ids = [pk for pk in branch_ids if actor.has_branch(pk)]
    name = name or _("%(name)s (copy)") % {"name": segment.display_name[: MAX_NAME - 20]}
    copy = Segment(
        name=_clean_name(name),
        description=segment.description,
        branch_ids=narrow_branches(actor, branch_ids),
        is_dynamic=segment.is_dynamic,
        rules=segment.rules,
        created_by=actor.user,
    )
    if copy.is_dynamic:
        _check_rules(actor, copy)
    copy.save()
    keep_version(copy, actor.user)
    if not copy.is_dynamic:
        write_difference(copy, members_for_actor(actor, segment, now=clock.now()))
    audit.record(actor, "segment.create", copy, {"name": copy.name, "copyOf": str(segment.pk)})
    return refresh_segment(actor=actor, segment=copy)


def may_change(actor: Actor, segment: Segment) -> bool:
    """Whether the segment is one of the actor's own: custom, and within their branches."""
    if segment.segment_type == SegmentType.SYSTEM or not actor.can("segment.manage"):
        return False
    if actor.branch_ids is None:
        return True
    return segment.branch_ids is not None and actor.branch_ids.issuperset(segment.branch_ids)


def _to_change(actor: Actor, segment: Segment) -> Segment:
    """The segment's row, locked. Raises when it is not the actor's to change."""
    actor.require("segment.manage")
    if segment.segment_type == SegmentType.SYSTEM:
        raise Conflict(_("Built-in segments cannot be changed. Copy it and change the copy."))
    if not may_change(actor, segment):
        raise Forbidden(_("This segment reaches beyond your branches. Copy it instead."))
    return Segment.objects.select_for_update().get(pk=segment.pk)


def _cleaned(actor: Actor, values: Mapping[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    if "name" in values:
        cleaned["name"] = _clean_name(values["name"])
    if "description" in values:
        cleaned["description"] = _clean_description(values["description"])
    if "branch_ids" in values:
        cleaned["branch_ids"] = narrow_branches(actor, values["branch_ids"])
    if "rules" in values:
        cleaned["rules"] = values["rules"]
    return cleaned


def _check_rules(actor: Actor, segment: Segment) -> None:
    compile_tree(
        segment.rules,
        RuleContext(),
        segment_id=segment.pk,
        visible=segments_for_actor(actor),
    )


def _clean_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise ValidationFailed(fields={"name": [_("Give the segment a name.")]})
    if len(name) > MAX_NAME:
        message = _("At most %(max)d characters.") % {"max": MAX_NAME}
        raise ValidationFailed(fields={"name": [message]})
    return name


def _clean_description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        message = _("At most %(max)d characters.") % {"max": MAX_DESCRIPTION}
        raise ValidationFailed(fields={"description": [message]})
    return text.strip()
