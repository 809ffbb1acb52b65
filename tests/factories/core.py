"""A chain with two regions, three branches and one person of each role."""

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import factory
from django.contrib.auth.hashers import make_password
from django.db import connection
from factory.django import DjangoModelFactory

from marketing.core.actor import Actor
from marketing.core.ids import IdentifiedModel
from marketing.core.models import Branch, Region, Role, Staff, StaffBranch, Tenant, User
from marketing.core.tenancy import current_tenant_id, tenant_scope

PASSWORD = "correct horse battery"
HASHED = make_password(PASSWORD)
# In English, whatever language the page before left behind.
CALLED = {role: str(role.label) for role in Role}
# Logins are unique, also beside those that another process left in the database of a bench.
PROCESS = secrets.token_hex(4)
NUMBERS = itertools.count()


class TenantFactory(DjangoModelFactory[Tenant]):
    class Meta:
        model = Tenant

    name = factory.Sequence(lambda n: f"Chain {n}")
    slug = factory.Sequence(lambda n: f"chain-{n}")
    languages = ["en", "hi"]


class RegionFactory(DjangoModelFactory[Region]):
    class Meta:
        model = Region

    name = factory.Sequence(lambda n: f"Region {n}")


class BranchFactory(DjangoModelFactory[Branch]):
    class Meta:
        model = Branch

    region = factory.SubFactory(RegionFactory)
    code = factory.Sequence(lambda n: f"B{n:03}")
    name = factory.Sequence(lambda n: f"Branch {n}")
    city = "Mumbai"


def make_staff(role: Role, *branches: Branch, name: str = "") -> Staff:
    """A staff member with a login, of the open tenant scope."""
    return make_several_staff([(role, branches)], name=name)[0]


def make_several_staff(
    wanted: Sequence[tuple[Role, Sequence[Branch]]], *, name: str = ""
) -> list[Staff]:
    """One staff member for each role and its branches, in a statement a table."""
    rows = staff_rows(wanted, name=name)
    insert_together(*rows)
    _users, made, _branches = rows
    return made


def staff_rows(
    wanted: Sequence[tuple[Role, Sequence[Branch]]], *, name: str = ""
) -> tuple[list[User], list[Staff], list[StaffBranch]]:
    users = [
        User(
            username=f"{role.lower()}-{PROCESS}-{number}",
            tenant_id=current_tenant_id(),
            email=f"{role.lower()}{number}@example.com",
            password=HASHED,
        )
        for number, (role, _branches) in zip(NUMBERS, wanted, strict=False)
    ]
    made = [
        Staff(user=user, name=name or CALLED[role], role=role, email=user.email)
        for user, (role, _branches) in zip(users, wanted, strict=True)
    ]
    at = [
        StaffBranch(staff=staff, branch=branch)
        for staff, (_role, branches) in zip(made, wanted, strict=True)
        for branch in branches
    ]
    return users, made, at


def insert_together(*tables: Sequence[IdentifiedModel]) -> None:
    """Insert the rows of several tables, in this order, by one question to PostgreSQL.

    Most tests begin with such rows. They may name each other: PostgreSQL is asked for all their
    keys before. Columns have their values by Python, but for the keys.
    """
    tables = tuple(rows for rows in tables if rows)
    everything = [row for rows in tables for row in rows]
    with connection.cursor() as cursor:
        cursor.execute("SELECT uuidv7() FROM generate_series(1, %s)", [len(everything)])
        for row, (row.pk,) in zip(everything, cursor.fetchall(), strict=True):
            row._state.adding = False
            row._state.db = connection.alias
        statements, values = [], []
        for rows in tables:
            table, fields = rows[0]._meta.db_table, rows[0]._meta.concrete_fields
            for row in rows:
                for field in fields:
                    if field.is_relation and (named := field.get_cached_value(row, default=None)):
                        setattr(row, field.name, named)
                    value = field.pre_save(row, add=True)
                    values.append(field.get_db_prep_save(value, connection))
            columns = ", ".join(f'"{field.column}"' for field in fields)
            places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
            statements.append(f'INSERT INTO "{table}" ({columns}) VALUES {places}')
        cursor.execute("; ".join(statements), values)


@dataclass
class Chain:
    """What most tests begin with. `actor(staff)` is the staff member as an actor."""

    tenant: Tenant
    north: Branch
    south: Branch
    west: Branch
    receptionist: Staff
    manager: Staff
    regional: Staff
    owner: Staff

    @staticmethod
    def actor(staff: Staff) -> Actor:
        return Actor.for_staff(staff)


def make_chain(**tenant: object) -> Chain:
    """`manager` and `receptionist` have `north`; `regional` has `north` and `south`."""
    made = TenantFactory.build(**tenant)
    insert_together([made])
    with tenant_scope(made.pk):
        region, other = regions = RegionFactory.build_batch(2)
        north, south, west = branches = [
            BranchFactory.build(region=of, name=name)
            for of, name in ((region, "North"), (region, "South"), (other, "West"))
        ]
        users, staff, at = staff_rows(
            [
                (Role.RECEPTIONIST, [north]),
                (Role.BRANCH_MANAGER, [north]),
                (Role.REGIONAL_MANAGER, [north, south]),
                (Role.SUPER_OWNER, []),
            ]
        )
        insert_together(regions, branches, users, staff, at)
    receptionist, manager, regional, owner = staff
    return Chain(
        tenant=made,
        north=north,
        south=south,
        west=west,
        receptionist=receptionist,
        manager=manager,
        regional=regional,
        owner=owner,
    )
