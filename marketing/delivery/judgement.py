"""The verdict on everyone of an audience, for every step of a channel plan, in one statement."""

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from customers.models import Channel, Customer
from marketing.content import merge_fields
from marketing.core import ids
from marketing.delivery.gate import ADDRESS, BEFORE_DUPLICATES, CAPS, JOINS
from marketing.delivery.models import SendRun
from marketing.delivery.plan import ChannelPlan, StepPlan
from marketing.delivery.price_sql import price_case, price_values
from marketing.delivery.windows import OPENS_AT

# The customer's column that an address is looked up by.
COLUMN = {Channel.WHATSAPP: "phone", Channel.SMS: "phone", Channel.EMAIL: "email"}


@dataclass(frozen=True)
class Again:
    """Those whom a run has tried before, each with the id of her first message in it.

    `spares_caps`: they hold their cap slot already, from an attempt that may still arrive.
    """

    run: SendRun
    first_attempts: Mapping[uuid.UUID, uuid.UUID]
    spares_caps: bool


def judge(
    plan: ChannelPlan,
    audience: QuerySet[Customer],
    charged_branch_id: uuid.UUID | None,
    again: Again | None = None,
    *,
    looks_for_doubles: bool = True,
) -> tuple[str, dict[str, Any]]:
    """SQL that gives the messages to be written for everyone, with the gate's verdict.

    One row a person; in mode `all` one for each step that may go, the first of them counted
    and the others `is_extra`. Columns: id (the customer's), step, is_extra, message_id (the id
    to be given to the message; NULL: any), attempt_of (the id of the person's first one),
    address, charged_branch_id, language, variables, segments, cost, fallback_cost (what the
    steps that may follow cost together; NULL: none follows), opens_at, reason (NULL: may go).
    Returned with its parameters. To find `duplicate_address` all of the chain's addresses are
    looked at, be it for a few people; who does not want that says so.
    """
    steps = plan.steps
    resolved = merge_fields.resolve(audience, plan.merge_names, plan.personal)
    columns = (
        *("id", "phone", "email", "whatsapp_id", "language", "preferred_channel"),
        *("home_branch_id", *(f"merge_{name}" for name in plan.merge_names)),
    )
    people, people_params = resolved.order_by().values(*columns).query.sql_with_params()
    named_people, params = named_parameters(people, people_params)
    columns_shared: set[str] = set()
    if looks_for_doubles:
        columns_shared = {*COLUMN.values()} if again else _shared_columns(steps)
    shared = [step for step in steps if COLUMN[Channel(step.channel)] in columns_shared]
    doubles = "".join(
        f", s{s.number}_doubles AS MATERIALIZED ({_doubles(s, bool(again))})" for s in shared
    )
    reasons = ", ".join(
        f"{_reason(step, step in shared, again)} AS s{step.number}_reason" for step in steps
    )
    # Odd ones, before those of the extras, which are even.
    first_id = ids.NTH_ID.format(n="2 * row_number() OVER () - 1")
    if plan.mode != SendRun.Mode.ALL:
        first_id = "NULL::uuid"
    step, is_extra, unfolding = _taken(plan, prefers=again is None)
    # OFFSET 0: a verdict is reached once, however often it is asked for above, and so is the step
    # chosen among several. WITH stands inside, or nothing around it would be simplified.
    sql = f"""
        SELECT v.id, v.step, v.is_extra, v.charged_branch_id,
               CASE WHEN NOT v.is_extra THEN v.first_id END AS message_id,
               CASE WHEN v.is_extra THEN v.first_id END AS attempt_of,
               {_of_step(steps, lambda s: f"v.s{s.number}_address")} AS address,
               {_of_step(steps, lambda s: f"v.s{s.number}_language")} AS language,
               {_of_step(steps, _variables)} AS variables,
               {_of_step(steps, _segments)} AS segments,
               {_of_step(steps, _cost)} AS cost,
               {_of_step(steps, lambda s: _fallback_cost(s, plan))} AS fallback_cost,
               {_of_step(steps, _opens_at)} AS opens_at,
               {_of_step(steps, lambda s: f"v.s{s.number}_reason")} AS reason
        FROM (
            SELECT v.*, {step} AS step, {is_extra} AS is_extra
            FROM (
                WITH c AS NOT MATERIALIZED (
                    SELECT c.*, coalesce(%(charged)s, c.home_branch_id) AS charged_branch_id,
                           {", ".join(map(_address_and_language, steps))}
                    FROM ({named_people}) c
                ){doubles}
                SELECT c.*, {reasons}, {first_id} AS first_id FROM c {JOINS} OFFSET 0
            ) v
            {unfolding} {"OFFSET 0" if len(steps) > 1 else ""}
        ) v
        LEFT JOIN core_branch br ON br.id = v.home_branch_id
    """  # noqa: S608  names are the code's own, values are parameters
    params |= {"tenant_id": plan.tenant.pk, "charged": charged_branch_id}
    if again:
        params |= {"run": again.run.pk, "run_bound": ids.lower_bound(again.run.created_at)}
    for planned in steps:
        params |= _params(planned, plan.tenant.time_zone)
    return sql, params


def _params(step: StepPlan, zone: str) -> dict[str, Any]:
    own = {
        "languages": list(step.compiled.languages),
        "first_language": step.compiled.languages[0],
        "segments": json.dumps(step.segments),
        "slots": json.dumps(step.slots),
        "opens": json.dumps(step.opens),
        "zone": zone,
        "number": step.number,
    }
    prefix = f"s{step.number}"
    named = {f"{prefix}_{name}": value for name, value in own.items()}
    return step.gate.values | named | price_values(prefix, step.prices)


def _address_and_language(step: StepPlan) -> str:
    prefix = f"s{step.number}"
    return (
        f"{ADDRESS[Channel(step.channel)]} AS {prefix}_address,"
        f" CASE WHEN c.language = ANY(%({prefix}_languages)s) THEN c.language"
        f" ELSE %({prefix}_first_language)s END AS {prefix}_language"
    )


def _reason(step: StepPlan, may_be_double: bool, again: Again | None) -> str:
    """The first reason why the step may not be sent to `c`, NULL when there is none."""
    prefix, gate = f"s{step.number}", step.gate
    doubles = []
    if may_be_double:
        doubles.append(f"c.id IN (SELECT id FROM {prefix}_doubles)")  # noqa: S608  as above
    if again:
        doubles.append(_taken_by_another(step))
    # Each with the languages in which it leaves the text without a value that it needs.
    lacking: dict[str, list[str]] = defaultdict(list)
    for language in step.compiled.languages:
        for name in step.compiled.missing(language, step.slots.get(language, {})):
            # What nobody filled in is missing to everybody.
            is_her_own = name in step.merge_names
            lacking[f"c.merge_{name} = ''" if is_her_own else "true"].append(language)
        # A value that its registered variable cannot take is as good as none.
        for name, limit in step.value_limits.get(language, {}).items():
            if name in step.merge_names:
                lacking[f"length(c.merge_{name}) > {limit}"].append(language)
    missing = [
        condition
        if len(languages) == len(step.compiled.languages)
        else f"{condition} AND c.{prefix}_language = ANY('{{{','.join(languages)}}}')"
        for condition, languages in lacking.items()
    ]
    caps = CAPS if again and again.spares_caps else ()
    verdicts = (
        gate.case(only=BEFORE_DUPLICATES),
        f"CASE WHEN {' OR '.join(doubles) or 'false'} THEN 'duplicate_address' END",
        gate.case(but=(*BEFORE_DUPLICATES, *caps)),
        f"CASE WHEN {' OR '.join(missing) or 'false'} THEN 'missing_value' END",
    )
    return f"coalesce({', '.join(verdicts)})"


def _shared_columns(steps: Sequence[StepPlan]) -> set[str]:
    """Where the steps' addresses stand that two customers of the chain share; along indexes."""
    columns = sorted({COLUMN[Channel(step.channel)] for step in steps})
    are_shared = ", ".join(
        f"""
        EXISTS (SELECT FROM customers_customer WHERE {column} <> ''
                GROUP BY {column} HAVING count(*) > 1)
        OR EXISTS (SELECT FROM customers_customer
                   WHERE {column} = '' AND phone = '' AND whatsapp_id <> '')
        """  # noqa: S608  a name of our own
        for column in columns
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {are_shared}")
        return {column for column, shared in zip(columns, cursor.fetchone(), strict=True) if shared}


def _doubles(step: StepPlan, all_of_them: bool) -> str:
    """Those of `c` whose address somebody with a lower id has, who may be written to there."""
    column = COLUMN[Channel(step.channel)]
    shared = (
        f"SELECT {column} FROM customers_customer WHERE {column} <> ''"  # noqa: S608  as above
        f" GROUP BY {column} HAVING count(*) > 1"
    )
    some = f"(c.{column} = '' OR c.{column} IN ({shared}))"
    return f"""
        SELECT id FROM (
            SELECT c.id, row_number() OVER (
                PARTITION BY c.s{step.number}_address ORDER BY c.id) AS place
            FROM c {JOINS}
            WHERE {"true" if all_of_them else some}
              AND {step.gate.case(only=BEFORE_DUPLICATES)} IS NULL
        ) d WHERE d.place > 1
    """  # noqa: S608  as above


def _taken_by_another(step: StepPlan) -> str:
    """Whether the run has written to the address of `c` on this step, as somebody else's."""
    column = COLUMN[Channel(step.channel)]
    return f"""EXISTS (
        SELECT FROM customers_customer o JOIN delivery_message m ON m.customer_id = o.id
        WHERE o.{column} = c.{column} AND o.{column} <> '' AND o.id <> c.id
          AND m.run_id = %(run)s AND m.id >= %(run_bound)s AND m.state <> 'skipped'
          AND m.step = %(s{step.number}_number)s AND m.address = c.s{step.number}_address)
    """


def _taken(plan: ChannelPlan, *, prefers: bool) -> tuple[str, str, str]:
    """The step that `v` is sent, whether it is an extra, and what to join to have them all.

    Whom no step may be sent to is given the first one, with its reason.
    """
    steps = plan.steps
    if len(steps) == 1:
        return f"{steps[0].number}", "false", ""
    passes = {step.number: f"v.s{step.number}_reason IS NULL" for step in steps}
    if plan.is_cascade:
        preferred = [
            f"WHEN {passes[step.number]} AND v.preferred_channel = '{step.channel}'"
            f" THEN {step.number}"
            for step in steps[1:]
            if prefers
        ]
        in_order = [f"WHEN {passes[step.number]} THEN {step.number}" for step in steps]
        return f"CASE {' '.join(preferred + in_order)} ELSE {steps[0].number} END", "false", ""
    passing = ", ".join(f"CASE WHEN {passes[step.number]} THEN {step.number} END" for step in steps)
    unfolding = f"""
        CROSS JOIN LATERAL unnest(
            CASE WHEN {" OR ".join(passes.values())} THEN array_remove(ARRAY[{passing}], NULL)
                 ELSE ARRAY[{steps[0].number}] END) WITH ORDINALITY AS t(step, place)"""
    return "t.step", "t.place > 1", unfolding


def _of_step(steps: Sequence[StepPlan], expression: Callable[[StepPlan], str]) -> str:
    """The expression of the step that the row is of."""
    if len(steps) == 1:
        return expression(steps[0])
    arms = " ".join(f"WHEN {step.number} THEN {expression(step)}" for step in steps)
    return f"CASE v.step {arms} END"


def _variables(step: StepPlan) -> str:
    pairs = ", ".join(f"'{name}', v.merge_{name}" for name in step.merge_names)
    own = f"jsonb_object(ARRAY[{pairs}]::text[])"
    if not step.slots:
        return own
    prefix = f"s{step.number}"
    return f"({own} || coalesce(%({prefix}_slots)s::jsonb -> v.{prefix}_language, '{{}}'))"


def _segments(step: StepPlan) -> str:
    counts = set(step.segments.values())
    if len(counts) == 1:
        return f"{counts.pop()}"
    return f"(%(s{step.number}_segments)s::jsonb ->> v.s{step.number}_language)::int"


def _cost(step: StepPlan) -> str:
    prefix = f"s{step.number}"
    return f"{_segments(step)} * {price_case(prefix, f'v.{prefix}_address', step.prices)}"


def _fallback_cost(step: StepPlan, plan: ChannelPlan) -> str:
    others = [other for other in plan.steps if other.number != step.number]
    if not plan.is_cascade or not others:
        return "NULL::numeric"
    return " + ".join(
        f"CASE WHEN v.s{other.number}_reason IS NULL THEN {_cost(other)} ELSE 0 END"
        for other in others
    )


def _opens_at(step: StepPlan) -> str:
    if not any(step.opens.values()):
        return "NULL::timestamptz"
    return OPENS_AT.replace("%(", f"%(s{step.number}_")


def named_parameters(sql: str, params: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Django's positional placeholders as named ones, so that both kinds of SQL can meet."""
    pieces = sql.split("%s")
    named = {f"people_{index}": value for index, value in enumerate(params)}
    return "".join(
        piece + (f"%(people_{index})s" if index < len(pieces) - 1 else "")
        for index, piece in enumerate(pieces)
    ), named
