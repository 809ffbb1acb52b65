"""Drawing rules however deep they are nested."""

from typing import Any

from django import template
from django.template import RequestContext
from django.template.loader import get_template
from django.utils.safestring import SafeString

from marketing.segments.builder.nodes import Group

register = template.Library()


@register.simple_tag(takes_context=True)
def draw_group(context: RequestContext, root: Group) -> SafeString:
    """The group with all within it, the innermost drawn first.

    A template that includes itself fifty times over comes to the end of Python's stack.
    """
    page: Any = get_template("segments/_group.html")
    drawn: dict[str, SafeString] = {}
    for group in reversed(root.with_all_within):
        if isinstance(group, Group):
            children = [(each, drawn.get(each.path)) for each in group.children]
            with context.push(group=group, children=children):
                drawn[group.path] = page.template.render(context)
    return drawn[root.path]
