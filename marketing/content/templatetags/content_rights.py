"""What pages ask about writing messages."""

from django import template

from marketing.content import selectors
from marketing.core.actor import Actor

register = template.Library()


@register.filter
def may_write_templates(actor: Actor) -> bool:
    """Whether the actor may write messages: not where branches send head office's only."""
    return selectors.may_write_templates(actor)
