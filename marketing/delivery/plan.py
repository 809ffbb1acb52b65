"""What a step of a run sends: version, account, price, and how the audience is judged for it."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from customers.models import Channel, Customer, Suppression
from marketing.content import merge_fields
from marketing.content.models import TemplateVersion
from marketing.content.rendering import CompiledVersion, compile_version
from marketing.content.rules import count_sms
from marketing.core.errors import ChannelDisabled, ValidationFailed
from marketing.core.models import Tenant
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.gate import ADDRESS, BEFORE_DUPLICATES, JOINS, Gate, build_gate
from marketing.delivery.windows import OPENS_AT, opening_times
from marketing.policy import selectors as policy
from marketing.policy.models import ProviderAccount
from marketing.policy.rules import message_category


@dataclass(frozen=True)
class StepPlan:
    """One step of a run, ready to be judged and written."""

    channel: str
    purpose: str
    version: TemplateVersion
    compiled: CompiledVersion
    account: ProviderAccount
    tenant: Tenant
    gate: Gate
    price: Decimal
    now: dt.datetime

    @cached_property
    def merge_names(self) -> tuple[str, ...]:
        """The merge fields to resolve in SQL; those made at sending are left out."""
        return resolvable(self.compiled)

    @cached_property
    def segments(self) -> dict[str, int]:
        """How many SMS segments a message in each language will take, by sample values."""
        if self.channel != "sms":
            return dict.fromkeys(self.compiled.languages, 1)
        samples = merge_fields.samples(self.compiled.placeholders)
        return {
            language: count_sms(self.compiled.render(language, samples).body).segments
            for language in self.compiled.languages
        }

    def judged(
        self, audience: QuerySet[Customer], charged_branch_id: uuid.UUID | None
    ) -> tuple[str, dict[str, Any]]:
        """SQL that gives one row a person of the audience, with the gate's verdict.

        Columns: id, address, charged_branch_id, language, variables, cost, segments,
        opens_at, reason (NULL: may go). Returned with its parameters.
        """
        resolved = merge_fields.resolve(audience, self.merge_names)
        columns = [
            "id",
            "phone",
            "email",
            "whatsapp_id",
            "language",
            "home_branch_id",
            *(f"merge_{name}" for name in self.merge_names),
        ]
        people, people_params = resolved.order_by().values(*columns).query.sql_with_params()
        named_people, named = _named(people, people_params)
        missing = [
            f"c.language_sent = '{language}' AND btrim(c.merge_{name}) = ''"
            for language in self.compiled.languages
            for name in self.compiled.missing(language, {})
        ]
        variables = ", ".join(f"'{name}', c.merge_{name}" for name in self.merge_names)
        sql = f"""
            SELECT j.id, j.address, j.charged_branch_id, j.language, j.variables,
                   (%(segments)s::jsonb ->> j.language)::int AS segments,
                   (%(segments)s::jsonb ->> j.language)::int * %(price)s::numeric AS cost,
                   {OPENS_AT} AS opens_at,
                   CASE
                       WHEN j.early IS NOT NULL THEN j.early
                       WHEN row_number() OVER (
                           PARTITION BY j.address, j.early IS NULL ORDER BY j.id
                       ) > 1 THEN 'duplicate_address'
                       WHEN j.late IS NOT NULL THEN j.late
                       WHEN j.is_incomplete THEN 'missing_value'
                   END AS reason
            FROM (
                SELECT c.id, c.address, c.charged_branch_id, c.home_branch_id,
                       c.language_sent AS language,
                       jsonb_build_object({variables}) AS variables,
                       {self.gate.case(only=BEFORE_DUPLICATES)} AS early,
                       {self.gate.case(but=BEFORE_DUPLICATES)} AS late,
                       {" OR ".join(missing) or "false"} AS is_incomplete
                FROM (
                    SELECT c.*, {ADDRESS[Channel(self.channel)]} AS address,
                           CASE WHEN c.language = ANY(%(languages)s) THEN c.language
                                ELSE %(first_language)s END AS language_sent,
                           coalesce(%(charged)s, c.home_branch_id) AS charged_branch_id
                    FROM ({named_people}) c
                ) c {JOINS}
            ) j
            LEFT JOIN core_branch br ON br.id = j.home_branch_id
        """  # noqa: S608  names are the code's own, values are parameters
        return sql, named | dict(self.gate.values) | {
            "charged": charged_branch_id,
            "languages": list(self.compiled.languages),
            "first_language": self.compiled.languages[0],
            "segments": json.dumps(self.segments),
            "price": self.price,
            "opens": json.dumps(
                opening_times(
                    tenant=self.tenant, purpose=self.purpose, channel=self.channel, now=self.now
                )
            ),
            "zone": self.tenant.time_zone,
        }


def resolvable(compiled: CompiledVersion) -> tuple[str, ...]:
    """The placeholders whose values stand in the database, in order."""
    return tuple(
        name for name in compiled.placeholders if merge_fields.kind(name) != merge_fields.SYSTEM
    )


def _named(sql: str, params: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Django's positional placeholders as named ones, so that both kinds of SQL can meet."""
    pieces = sql.split("%s")
    named = {f"people_{index}": value for index, value in enumerate(params)}
    return "".join(
        piece + (f"%(people_{index})s" if index < len(pieces) - 1 else "")
        for index, piece in enumerate(pieces)
    ), named


def plan_step(step: Mapping[str, Any], *, purpose: str, now: dt.datetime) -> StepPlan:
    """Read what a step needs. Raises `ChannelDisabled` when the channel has no account."""
    channel = step["channel"]
    version = TemplateVersion.objects.select_related("template", "tenant").get(pk=step["versionId"])
    account = policy.default_account(channel)
    if account is None:
        raise ChannelDisabled(
            _("No provider account is set up for %(channel)s.")
            % {"channel": Channel(channel).label}
        )
    if version.template.channel != channel:
        raise ValidationFailed(fields={"templateId": [_("The template is for another channel.")]})
    tenant = Tenant.objects.get(pk=current_tenant_id())
    return StepPlan(
        channel=channel,
        purpose=purpose,
        version=version,
        compiled=compile_version(version),
        account=account,
        tenant=tenant,
        gate=build_gate(
            config=policy.get_config(),
            channel=channel,
            purpose=purpose,
            now=now,
            tenant_id=tenant.pk,
            has_suppressions=Suppression.objects.filter(channel=channel).exists(),
        ),
        price=policy.message_price(
            provider=account.provider,
            channel=channel,
            country=tenant.country,
            category=message_category(purpose),
            on=now.date(),
        ),
        now=now,
    )
