"""The chain's settings, and those of its branches."""

import uuid

from customers.models import Channel
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.models import Branch
from marketing.policy import config_cache
from marketing.policy.defaults import ensure_config
from marketing.policy.models import (
    BranchMarketingConfig,
    MarketingConfig,
)


def get_config() -> MarketingConfig:
    """The tenant's settings, made with Module 11's defaults on first use; at most 60 s old."""
    config = config_cache.read()
    if config is None:
        config = ensure_config()
        config_cache.keep(config)
    return config


def branch_config(branch_id: uuid.UUID) -> BranchMarketingConfig:
    """The branch's settings; unsaved defaults when nobody changed them yet."""
    found = BranchMarketingConfig.objects.filter(branch_id=branch_id).first()
    return found or BranchMarketingConfig(branch_id=branch_id)


def branch_configs() -> dict[uuid.UUID, BranchMarketingConfig]:
    """The settings of the branches whose settings were ever changed."""
    return {config.branch_id: config for config in BranchMarketingConfig.objects.all()}


def assumed_consent() -> dict[str, bool]:
    """Per channel, whether consent is assumed of people whom staff enter."""
    stored = get_config().assumed_consent
    return {channel: bool(stored.get(channel)) for channel in Channel.values}


def postal_address() -> str:
    """Where the chain can be written to: as it is set, else its first salon that has an address."""
    salons = Branch.objects.filter(is_active=True).exclude(address="").order_by("pk")
    return get_config().postal_address or (salons.values_list("address", flat=True).first() or "")


def is_tracked(channel: str) -> bool:
    """Whether the links of new messages on a channel are to be our short ones."""
    return bool(getattr(get_config(), f"track_{channel}_links"))


def get_branch_for_actor(actor: Actor, pk: uuid.UUID) -> Branch:
    """Raises `NotFound` also for a branch that is not the actor's."""
    branch = Branch.objects.filter(pk=pk).first() if actor.has_branch(pk) else None
    if branch is None:
        raise NotFound()
    return branch
