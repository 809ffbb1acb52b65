"""What a run sends on which channels: each step's version, account, price and gate."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from customers.models import Channel, Suppression
from marketing.content import merge_fields
from marketing.content.links import compile_sent
from marketing.content.models import TemplateVersion
from marketing.content.rendering import CompiledVersion, compile_version
from marketing.content.rules import count_sms
from marketing.core.errors import ChannelDisabled, ValidationFailed
from marketing.core.models import Tenant
from marketing.core.tenancy import current_tenant
from marketing.delivery.compliance import value_limits
from marketing.delivery.gate import Gate, build_gate
from marketing.delivery.models import SendRun
from marketing.delivery.registry import vendor
from marketing.delivery.windows import opening_times, zones_of_chain
from marketing.policy import selectors as policy
from marketing.policy.models import MarketingConfig, ProviderAccount
from marketing.policy.rules import message_category
from marketing.policy.selectors import Prices


@dataclass(frozen=True)
class StepPlan:
    """One step of a run: what it sends, through which account, at what prices a segment.

    `number` is its index among the run's steps. `opens` is when the send window opens in each
    time zone of the chain, None where it is open. `after_minutes` is how long an earlier
    attempt may take to arrive before this one is made. `value_limits` are the characters that
    a merge value may have, by language and name. `slots` are what the campaign filled in, the
    same for everybody, by language and name. `personal` names what each person is given of her
    own, and the key by which it is found.
    """

    number: int
    channel: str
    version: TemplateVersion
    compiled: CompiledVersion
    account: ProviderAccount
    gate: Gate
    prices: Prices
    opens: Mapping[str, str | None]
    after_minutes: int
    value_limits: Mapping[str, Mapping[str, int]]
    slots: Mapping[str, Mapping[str, str]]
    personal: Mapping[str, str]

    @cached_property
    def merge_names(self) -> tuple[str, ...]:
        """The merge fields to resolve in SQL; those made at sending are left out."""
        own = [name for name in self.compiled.placeholders if name in self.personal]
        return (*resolvable(self.compiled), *own)

    @cached_property
    def segments(self) -> dict[str, int]:
        """How many SMS segments a message in each language will take, by sample values."""
        if self.channel != "sms":
            return dict.fromkeys(self.compiled.languages, 1)
        sent = compile_sent(self.version).compiled
        samples = merge_fields.samples(sent.placeholders)
        return {
            language: count_sms(
                sent.render(language, {**samples, **self.slots.get(language, {})}).body
            ).segments
            for language in self.compiled.languages
        }


@dataclass(frozen=True)
class ChannelPlan:
    """The steps of a run in their order, and how they are gone through."""

    mode: str
    purpose: str
    tenant: Tenant
    steps: tuple[StepPlan, ...]

    @property
    def is_cascade(self) -> bool:
        return self.mode == SendRun.Mode.CASCADE

    @property
    def merge_names(self) -> tuple[str, ...]:
        """The merge fields that any step needs."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.merge_names))

    @property
    def personal(self) -> dict[str, str]:
        """What each person is given of her own, and the key by which it is found."""
        return {name: key for step in self.steps for name, key in step.personal.items()}

    def without(self, tried: Collection[int]) -> "ChannelPlan":
        """What is left of a cascade for somebody on whom the steps of these numbers were tried."""
        return replace(self, steps=tuple(s for s in self.steps if s.number not in tried))

    def wait_after(self, step: StepPlan) -> int | None:
        """The minutes an attempt of this step has to arrive; None when no other would follow."""
        following = next((s for s in self.steps if s.number != step.number), None)
        return following.after_minutes if self.is_cascade and following else None


def resolvable(compiled: CompiledVersion) -> tuple[str, ...]:
    """The placeholders whose values stand in the database, in order."""
    made = (merge_fields.SYSTEM, merge_fields.SLOT_KIND)
    return tuple(
        name
        for name in compiled.placeholders
        if merge_fields.kind(name) not in made and not merge_fields.is_given(name)
    )


def plan_channels(
    steps: Sequence[Mapping[str, Any]],
    *,
    mode: str,
    purpose: str,
    now: dt.datetime,
    versions: Mapping[str, TemplateVersion] | None = None,
) -> ChannelPlan:
    """Read what a run's steps need, at `now`; in mode `single` the first one only.

    As many queries for several steps as for one. `versions` by id, each with its template and
    chain, are read when the caller has none at hand. Raises `ChannelDisabled` when a channel has
    no account, `ValidationFailed` when a version is for another channel than its step.
    """
    tenant = current_tenant()
    wanted = steps[:1] if mode == SendRun.Mode.SINGLE else steps
    accounts = _accounts([step["channel"] for step in wanted])
    versions = versions or _versions([step["versionId"] for step in wanted])
    settings = _Settings(
        tenant=tenant,
        config=policy.get_config(),
        zones=zones_of_chain(tenant),
        purpose=purpose,
        now=now,
        versions=versions,
        accounts=accounts,
        prices=_prices(wanted, accounts, versions, purpose=purpose, now=now),
    )
    minutes = [step["afterMinutes"] for step in wanted]
    # The first step comes later for those who prefer another channel: it waits as the second.
    minutes[0] = minutes[min(1, len(minutes) - 1)]
    return ChannelPlan(
        mode=mode,
        purpose=purpose,
        tenant=tenant,
        steps=tuple(
            _plan_step(number, step, settings, after_minutes=wait)
            for number, (step, wait) in enumerate(zip(wanted, minutes, strict=True))
        ),
    )


class _Settings(NamedTuple):
    """What the steps of a run are planned with.

    `versions` by id. `accounts` by channel, each with whether anybody is on the channel's list of
    the suppressed. `prices` by provider and channel.
    """

    tenant: Tenant
    config: MarketingConfig
    zones: Collection[str]
    purpose: str
    now: dt.datetime
    versions: Mapping[str, TemplateVersion]
    accounts: Mapping[str, tuple[ProviderAccount, bool]]
    prices: Mapping[tuple[str, str], Prices]


def _versions(ids: Sequence[str]) -> dict[str, TemplateVersion]:
    versions = TemplateVersion.objects.select_related("template", "tenant").filter(pk__in=ids)
    return {str(version.pk): version for version in versions}


def _accounts(channels: Sequence[str]) -> Mapping[str, tuple[ProviderAccount, bool]]:
    """Raises `ChannelDisabled` for the first channel that has none."""
    suppressions = Suppression.objects.filter(channel=OuterRef("channel"))
    accounts = policy.default_accounts().filter(channel__in=channels)
    found = {
        account.channel: (account, account.has_suppressions)
        for account in accounts.annotate(has_suppressions=Exists(suppressions))
    }
    for channel in channels:
        if channel not in found:
            raise ChannelDisabled(
                _("No provider account is set up for %(channel)s.")
                % {"channel": Channel(channel).label}
            )
    return found


def _prices(
    steps: Sequence[Mapping[str, Any]],
    accounts: Mapping[str, tuple[ProviderAccount, bool]],
    versions: Mapping[str, TemplateVersion],
    *,
    purpose: str,
    now: dt.datetime,
) -> dict[tuple[str, str], Prices]:
    """By provider and channel; WhatsApp charges by its own category of a template."""
    ways: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for step in steps:
        account, _any = accounts[step["channel"]]
        category = versions[step["versionId"]].price_category or message_category(purpose)
        ways[category].append((account.provider, step["channel"]))
    found: dict[tuple[str, str], Prices] = {}
    for category, alike in ways.items():
        found |= policy.prices_of_ways(
            alike, home=current_tenant().country, category=category, on=policy.day_of(now)
        )
    return found


def _plan_step(
    number: int, step: Mapping[str, Any], settings: _Settings, *, after_minutes: int
) -> StepPlan:
    channel = step["channel"]
    tenant = settings.tenant
    version = settings.versions[step["versionId"]]
    account, has_suppressions = settings.accounts[channel]
    if version.template.channel != channel:
        raise ValidationFailed(fields={"templateId": [_("The template is for another channel.")]})
    return StepPlan(
        number=number,
        channel=channel,
        version=version,
        compiled=compile_version(version),
        account=account,
        gate=build_gate(
            config=settings.config,
            channel=channel,
            purpose=settings.purpose,
            now=settings.now,
            tenant_id=tenant.pk,
            has_suppressions=has_suppressions,
            reaches_user_ids=vendor(account.provider).reaches_user_ids,
            topic_id=version.template.topic_id,
            address=f"c.s{number}_address",
            prefix=f"s{number}_",
        ),
        prices=settings.prices[account.provider, channel],
        opens=opening_times(
            tenant=tenant,
            purpose=settings.purpose,
            channel=channel,
            now=settings.now,
            config=settings.config,
            zones=settings.zones,
        ),
        after_minutes=after_minutes,
        value_limits=value_limits(version, tenant.country),
        slots=step.get("slots", {}),
        personal=step.get("personal", {}),
    )
