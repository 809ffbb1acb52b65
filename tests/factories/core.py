"""A chain with two regions, three branches and one person of each role."""

from collections.abc import Sequence
from dataclasses import dataclass

import factory
from django.contrib.auth.hashers import make_password
from factory.django import DjangoModelFactory

from marketing.core.actor import Actor
from marketing.core.models import Branch, Region, Role, Staff, StaffBranch, Tenant, User
from marketing.core.tenancy import current_tenant_id, tenant_scope

PASSWORD = "correct horse battery"


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
    password = make_password(PASSWORD)
    count = User.objects.count()
    users = User.objects.bulk_create(
        User(
            username=f"{role.lower()}-{number}",
            tenant_id=current_tenant_id(),
            email=f"{role.lower()}{number}@example.com",
            password=password,
        )
        for number, (role, _branches) in enumerate(wanted, count)
    )
    made = Staff.objects.bulk_create(
        Staff(user=user, name=name or str(Role(role).label), role=role, email=user.email)
        for user, (role, _branches) in zip(users, wanted, strict=True)
    )
    StaffBranch.objects.bulk_create(
        StaffBranch(staff=staff, branch=branch)
        for staff, (_role, branches) in zip(made, wanted, strict=True)
        for branch in branches
    )
    return made


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
    made = TenantFactory(**tenant)
    with tenant_scope(made.pk):
        region, other = Region.objects.bulk_create(RegionFactory.build_batch(2))
        north, south, west = Branch.objects.bulk_create(
            BranchFactory.build(region=of, name=name)
            for of, name in ((region, "North"), (region, "South"), (other, "West"))
        )
        receptionist, manager, regional, owner = make_several_staff(
            [
                (Role.RECEPTIONIST, [north]),
                (Role.BRANCH_MANAGER, [north]),
                (Role.REGIONAL_MANAGER, [north, south]),
                (Role.SUPER_OWNER, []),
            ]
        )
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
