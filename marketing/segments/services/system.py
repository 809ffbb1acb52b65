"""Every chain's built-in segments made what they should be."""

from django.db import transaction

from marketing.segments.fields import Fields
from marketing.segments.models import Segment, SegmentType
from marketing.segments.services.system_rules import SYSTEM_SEGMENTS, SystemSegment
from marketing.segments.services.versions import keep_version


def usable_system_segments() -> dict[str, SystemSegment]:
    """Those whose fields are all registered, by name; the others are waiting."""
    fields = Fields()
    return {
        name: segment
        for name, segment in SYSTEM_SEGMENTS.items()
        if all(fields.get(needed) is not None for needed in segment.needs)
    }


@transaction.atomic
def ensure_system_segments() -> None:
    """Make the built-in segments of the open tenant scope what they should be, by name.

    Two at once do no harm: the later one finds the names taken and leaves them.
    """
    wanted = usable_system_segments()
    Segment.objects.bulk_create(
        (
            Segment(
                name=name,
                description=each.description,
                rules=each.rules,
                segment_type=SegmentType.SYSTEM,
                version=0,
            )
            for name, each in wanted.items()
        ),
        ignore_conflicts=True,
    )
    known = Segment.objects.filter(segment_type=SegmentType.SYSTEM, name__in=wanted)
    for segment in known.select_for_update().order_by("pk"):
        each = wanted[segment.name]
        if segment.version and (segment.rules, segment.description) == (
            each.rules,
            each.description,
        ):
            continue
        segment.rules, segment.description = dict(each.rules), each.description
        segment.version += 1
        segment.save()
        keep_version(segment, None)
