"""What a segment said after each save."""

from marketing.core.models import User
from marketing.segments.models import Segment, SegmentVersion


def keep_version(segment: Segment, user: User | None) -> None:
    """Write down the segment as just saved; within the transaction of the save."""
    SegmentVersion.objects.create(
        segment=segment,
        version=segment.version,
        name=segment.name,
        rules=segment.rules,
        saved_by=user,
    )
