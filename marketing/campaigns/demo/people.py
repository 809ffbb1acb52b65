"""The demo's customers: `demo_person` holds what their activity is drawn from."""

import datetime as dt
from collections.abc import Mapping
from itertools import accumulate

from customers.models import AttributeDefinition
from marketing.campaigns.demo.names import COMMUNITIES, Community
from marketing.campaigns.demo.organisation import Organisation
from marketing.campaigns.demo.staging import execute, stage_query, stage_rows
from marketing.core.tenancy import current_tenant_id

PERCENT = range(100)
HAIR_TYPES = ("straight", "wavy", "curly", "coily")
SKIN_TYPES = ("normal", "dry", "oily", "combination", "sensitive")
REMARKS = (
    "Prefers evening appointments.",
    "Allergic to ammonia: patch test before any colour.",
    "Comes with her daughter; book two chairs.",
    "Likes a quiet corner.",
    "Asks for the same stylist every time.",
    "Call before confirming, she is often late.",
)
# Where the chain knows people from, in percent.
SOURCES = {"staff": 46, "counter": 22, "api": 10, "import": 17, "referral": 5}
PREFERRED_CHANNELS = {"whatsapp": 82, "sms": 11, "email": 7}

# Of a hundred people: kind of guest, days between visits (from, to), share who have left,
# taste: the lower, the dearer what they choose.
RHYTHMS = (
    ("regular", 20, 32, 70, 0.24, 0.42),
    ("occasional", 27, 90, 200, 0.45, 1.15),
    ("once", 47, 240, 600, 1.00, 1.70),
    ("prospect", 6, 0, 0, 1.00, 1.00),
)


def declare_attributes() -> None:
    """The chain's own attributes of a customer."""
    kind = AttributeDefinition.Type
    AttributeDefinition.objects.bulk_create(
        [
            AttributeDefinition(
                key="hair_type", label="Hair type", type=kind.CHOICE, choices=HAIR_TYPES
            ),
            AttributeDefinition(
                key="skin_type", label="Skin type", type=kind.CHOICE, choices=SKIN_TYPES
            ),
            AttributeDefinition(
                key="wants_female_stylist", label="Wants a female stylist", type=kind.BOOLEAN
            ),
            AttributeDefinition(key="patch_test_on", label="Last patch test", type=kind.DATE),
            AttributeDefinition(key="loyalty_card", label="Loyalty card", type=kind.TEXT),
        ]
    )


def stage_people(organisation: Organisation, count: int, now: dt.datetime) -> None:
    """Draw `count` people into `demo_person`, oldest customers first."""
    _stage_choices(organisation)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    stage_query("demo_person", PEOPLE, {"count": count, "midnight": midnight})


def write_customers() -> None:
    """Customers with their contact points, and notes on a few."""
    tenant_id = current_tenant_id()
    execute(CUSTOMERS, {"tenant": tenant_id, "hair": list(HAIR_TYPES), "skin": list(SKIN_TYPES)})
    execute(CONTACT_POINTS, {"tenant": tenant_id})
    execute(NOTES, {"tenant": tenant_id, "notes": list(REMARKS)})


def slots(shares: Mapping[str, int]) -> list[str]:
    """A hundred slots, each with the key it falls to; `shares` are percent and sum to 100."""
    bounds = dict(zip(shares, accumulate(shares.values()), strict=True))
    return [next(key for key, bound in bounds.items() if slot < bound) for slot in PERCENT]


def _stage_choices(organisation: Organisation) -> None:
    branches = {branch.code: branch for branch in organisation.branches}
    by_region = organisation.branches
    neighbours = {
        branch.code: next(
            other
            for other in by_region[index + 1 :] + by_region
            if other.region_id == branch.region_id and other.pk != branch.pk
        )
        for index, branch in enumerate(by_region)
    }
    stage_rows(
        "demo_branch",
        "code text, id uuid, neighbour_id uuid, price_level numeric, latitude float8,"
        " longitude float8, series text[], stylists uuid[],"
        " receptionist_id uuid, receptionist_user_id uuid",
        [
            (
                code,
                branches[code].pk,
                neighbours[code].pk,
                place.price_level,
                place.latitude,
                place.longitude,
                list(place.series),
                [stylist.pk for stylist in organisation.stylists[code]],
                organisation.receptionists[code].pk,
                organisation.receptionists[code].user_id,
            )
            for code, place in organisation.places.items()
        ],
    )
    shares = {code: place.share for code, place in organisation.places.items()}
    stage_rows("demo_branch_slot", "slot int, code text", enumerate(slots(shares)))
    stage_rows(
        "demo_community_slot",
        "code text, slot int, community text",
        [
            (code, slot, community)
            for code, place in organisation.places.items()
            for slot, community in enumerate(slots(place.people))
        ],
    )
    stage_rows(
        "demo_language_slot",
        "community text, slot int, language text",
        [
            (community.name, slot, language)
            for community in COMMUNITIES
            for slot, language in enumerate(slots(community.languages))
        ],
    )
    stage_rows(
        "demo_name",
        "community text, kind text, slot int, latin text, native text",
        [row for community in COMMUNITIES for row in _name_slots(community)],
    )
    stage_rows("demo_source_slot", "slot int, source text", enumerate(slots(SOURCES)))
    stage_rows("demo_channel_slot", "slot int, channel text", enumerate(slots(PREFERRED_CHANNELS)))
    stage_rows(
        "demo_rhythm",
        "slot int, kind text, shortest int, longest int, leaving float8, taste float8",
        [
            (slot, *next(rhythm[:1] + rhythm[2:] for rhythm in RHYTHMS if rhythm[0] == kind))
            for slot, kind in enumerate(slots({rhythm[0]: rhythm[1] for rhythm in RHYTHMS}))
        ],
    )


def _name_slots(community: Community) -> list[tuple[str, str, int, str, str]]:
    """A hundred slots for each kind of name: names that come first fill more of them."""
    rows = []
    for kind, names in (
        ("female", community.women),
        ("male", community.men),
        ("family", community.families),
    ):
        for slot in PERCENT:
            name = names[int((slot / 100) ** 1.4 * len(names))]
            rows.append((community.name, kind, slot, name.latin, name.native))
    return rows


# One person in fifteen belongs to the household of the person before: the same branch, family
# name and phone. `first_day` and `last_day` count back from today; nobody's history in the
# tables is older than 730 days, though a third of the people were customers before.
# They are known from before the salons open, whatever the hour now.
# `position` numbers people in the order in which they became customers.
PEOPLE = """
    SELECT person.*, branch.id AS branch_id, branch.neighbour_id,
           branch.receptionist_id, branch.receptionist_user_id, source.source, channel.channel,
           %(midnight)s - make_interval(days => first_day + days_known_before) AS known_at,
           given.latin AS first_name, family.latin AS family_name,
           CASE WHEN writes_native THEN given.native ELSE given.latin END AS first_shown,
           CASE WHEN writes_native THEN family.native ELSE family.latin END AS family_shown,
           language.language,
           CASE WHEN pg_temp.draw(n, 'has phone') < 0.96 THEN
               '+91' || branch.series[1 + household %% 3]
               || lpad(((household * 514229 + 271828) %% 1000000)::text, 6, '0')
           ELSE '' END AS phone,
           CASE WHEN pg_temp.draw(n, 'has email') < 0.62 THEN
               lower(given.latin || '.' || family.latin) || n || '@example.'
               || CASE floor(pg_temp.draw(n, 'domain') * 3)
                  WHEN 0 THEN 'com' WHEN 1 THEN 'net' ELSE 'org' END ELSE '' END AS email,
           branch.stylists[1 + floor(
               pg_temp.draw(n, 'stylist') * cardinality(branch.stylists))::int]
               AS stylist_id,
           CASE WHEN membership < member_chance THEN last_day + floor(
               (first_day - last_day) * pg_temp.draw(n, 'joined the plan'))::int END AS member_day
    FROM (
        SELECT *, pg_temp.make_id(position, 'customer') AS id,
               CASE rhythm WHEN 'regular' THEN 0.34 WHEN 'occasional' THEN 0.06 ELSE 0 END
                   AS member_chance,
               pg_temp.draw(n, 'membership') AS membership,
               -- Who has left came for a part of the time only.
               CASE WHEN pg_temp.draw(n, 'leaves') < leaving
                    THEN floor(first_day * pg_temp.draw(n, 'left'))::int ELSE 0 END AS last_day
        FROM (
            SELECT *, row_number() OVER (ORDER BY first_day + days_known_before DESC, n)
                AS position
            FROM (
            SELECT people.n, household, branch_slot.code, community.community,
                   CASE WHEN pg_temp.draw(people.n, 'gender') < 0.71 THEN 'female' ELSE 'male' END
                       AS gender,
                   pg_temp.draw(people.n, 'script') < 0.07 AS writes_native,
                   rhythm.kind AS rhythm, rhythm.leaving,
                   rhythm.taste * (0.75 + 0.5 * pg_temp.draw(people.n, 'taste')) AS taste,
                   rhythm.shortest + floor((rhythm.longest - rhythm.shortest)
                       * pg_temp.draw(people.n, 'interval'))::int AS interval_days,
                   CASE WHEN pg_temp.draw(people.n, 'long known') < 0.33
                        THEN 730 - floor(pg_temp.draw(people.n, 'first')
                             * least(rhythm.longest, 400))::int
                        ELSE floor(pg_temp.draw(people.n, 'first') * 728)::int + 1 END AS first_day,
                   CASE WHEN pg_temp.draw(people.n, 'long known') < 0.33
                        THEN floor(pg_temp.draw(people.n, 'known since') * 900)::int ELSE 0 END
                       AS days_known_before
            FROM (
                SELECT n, CASE WHEN n %% 2 = 0 AND pg_temp.draw(n, 'family') < 0.13
                               THEN n - 1 ELSE n END AS household
                FROM generate_series(1, %(count)s::bigint) n
            ) people
            JOIN demo_branch_slot branch_slot
              ON branch_slot.slot = floor(pg_temp.draw(household, 'branch') * 100)::int
            JOIN demo_community_slot community ON community.code = branch_slot.code
             AND community.slot = floor(pg_temp.draw(household, 'community') * 100)::int
            JOIN demo_rhythm rhythm
              ON rhythm.slot = floor(pg_temp.draw(people.n, 'rhythm') * 100)::int
            ) placed
        ) numbered
    ) person
    JOIN demo_branch branch ON branch.code = person.code
    JOIN demo_language_slot language ON language.community = person.community
     AND language.slot = floor(pg_temp.draw(n, 'language') * 100)::int
    JOIN demo_name given ON given.community = person.community AND given.kind = person.gender
     AND given.slot = floor(pg_temp.draw(n, 'given name') * 100)::int
    JOIN demo_name family ON family.community = person.community AND family.kind = 'family'
     AND family.slot = floor(pg_temp.draw(household, 'family name') * 100)::int
    JOIN demo_source_slot source ON source.slot = floor(pg_temp.draw(n, 'source') * 100)::int
    JOIN demo_channel_slot channel ON channel.slot = floor(pg_temp.draw(n, 'channel') * 100)::int
"""

CUSTOMERS = """
    INSERT INTO customers_customer (
        id, tenant_id, external_id, first_name, last_name, phone, email, whatsapp_id, birth_date,
        anniversary, gender, language, preferred_channel, home_branch_id, tags, attributes,
        latitude, longitude, source, status, created_at, updated_at)
    SELECT demo_person.id, %(tenant)s, 'KSR-' || lpad(position::text, 7, '0'),
           first_shown, family_shown, phone, email, '',
           CASE WHEN pg_temp.draw(n, 'has birthday') < 0.72 THEN
               date '1958-01-01' + floor(power(pg_temp.draw(n, 'birthday'), 0.7) * 18000)::int END,
           CASE WHEN pg_temp.draw(n, 'has anniversary') < 0.33 THEN
               date '1990-01-01' + floor(pg_temp.draw(n, 'anniversary') * 12700)::int END,
           gender, language, channel, branch_id,
           array_remove(ARRAY[
               CASE WHEN rhythm = 'regular' AND pg_temp.draw(n, 'vip') < 0.3 THEN 'VIP' END,
               CASE WHEN gender = 'female' AND pg_temp.draw(n, 'bride') < 0.05 THEN 'Bride' END,
               CASE WHEN pg_temp.draw(n, 'student') < 0.08 THEN 'Student' END,
               CASE WHEN pg_temp.draw(n, 'corporate') < 0.06 THEN 'Corporate' END,
               CASE WHEN rhythm = 'once' AND pg_temp.draw(n, 'walk-in') < 0.3 THEN 'Walk-in' END
           ], NULL),
           jsonb_strip_nulls(jsonb_build_object(
               'hair_type', CASE WHEN pg_temp.draw(n, 'knows hair') < 0.4 THEN
                   (%(hair)s::text[])[1 + floor(pg_temp.draw(n, 'hair') * 4)::int] END,
               'skin_type', CASE WHEN pg_temp.draw(n, 'knows skin') < 0.25 THEN
                   (%(skin)s::text[])[1 + floor(pg_temp.draw(n, 'skin') * 5)::int] END,
               'wants_female_stylist', CASE WHEN gender = 'female'
                   AND pg_temp.draw(n, 'wants') < 0.12 THEN true END,
               'patch_test_on', CASE WHEN pg_temp.draw(n, 'patch test') < 0.06
                   THEN (current_date - floor(pg_temp.draw(n, 'tested') * 300)::int)::text END,
               'loyalty_card', CASE WHEN member_day IS NOT NULL
                   THEN 'KC' || lpad((n * 7919 %% 1000000)::text, 6, '0') END)),
           CASE WHEN pg_temp.draw(n, 'has place') < 0.55
                THEN latitude + (pg_temp.draw(n, 'north') - 0.5) * 0.12 END,
           CASE WHEN pg_temp.draw(n, 'has place') < 0.55
                THEN longitude + (pg_temp.draw(n, 'east') - 0.5) * 0.12 END,
           source, 'active', known_at, known_at
    FROM demo_person JOIN demo_branch USING (code)
"""

CONTACT_POINTS = """
    INSERT INTO customers_contactpoint (
        id, tenant_id, customer_id, kind, value, is_primary, created_at)
    SELECT pg_temp.make_id(position * 4 + point.number, 'contact point'), %(tenant)s,
           demo_person.id, point.kind, point.value, point.is_primary, known_at
    FROM demo_person
    CROSS JOIN LATERAL (
        SELECT 0, 'phone', phone, true WHERE phone <> ''
        UNION ALL SELECT 1, 'email', email, true WHERE email <> ''
        UNION ALL SELECT 2, 'phone', '+9170' || lpad((n * 514229 %% 100000000)::text, 8, '0'), false
            WHERE phone <> '' AND pg_temp.draw(n, 'second phone') < 0.03
    ) AS point(number, kind, value, is_primary)
"""

NOTES = """
    INSERT INTO customers_customernote (tenant_id, customer_id, text, author_id, created_at)
    SELECT %(tenant)s, id,
           (%(notes)s::text[])[1 + floor(
               pg_temp.draw(n, 'note') * cardinality(%(notes)s::text[]))::int],
           receptionist_id, known_at + interval '1 hour'
    FROM demo_person WHERE pg_temp.draw(n, 'has note') < 0.02
"""
