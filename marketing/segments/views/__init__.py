from marketing.segments.views.actions import segment_copy, segment_delete, segment_refresh
from marketing.segments.views.editing import (
    segment_edit,
    segment_new,
    segment_new_list,
)
from marketing.segments.views.export import segment_export
from marketing.segments.views.pages import segment_detail, segment_list
from marketing.segments.views.preview import segment_overlap, segment_panels, segment_preview

__all__ = [
    "segment_copy",
    "segment_delete",
    "segment_detail",
    "segment_edit",
    "segment_export",
    "segment_list",
    "segment_new",
    "segment_new_list",
    "segment_overlap",
    "segment_panels",
    "segment_preview",
    "segment_refresh",
]
