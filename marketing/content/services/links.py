"""Asking whether the links of a message work."""

import uuid
from functools import partial

from django.db import transaction

from marketing.content import link_states
from marketing.content.link_check import Finding, Outcome, check
from marketing.content.models import MessageTemplate
from marketing.content.selectors import current_version
from marketing.content.tasks import check_link
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id, tenant_scope


def check_links(*, actor: Actor, template: MessageTemplate) -> int:
    """Have a task ask for each link of the newest version; returns how many are asked for.

    What it finds is a warning and stops nothing.
    """
    actor.require("template.manage")
    tenant_id = str(current_tenant_id())
    links = [state.link for state in link_states.states_of(current_version(template))]
    begun = link_states.begin(links)
    for link in begun:
        transaction.on_commit(partial(check_link.delay, tenant_id, link))
    return len(begun)


def judge_link(*, tenant_id: uuid.UUID, link: str) -> None:
    """Ask for the link, outside of any transaction, and keep what was found."""
    finding = Finding(Outcome.UNREACHABLE)
    try:
        finding = check(link_states.as_asked(link))
    finally:
        # Even when the task ran out of time.
        with tenant_scope(tenant_id):
            link_states.keep(link, finding)
