"""A chain with two regions, three branches and one person of each role."""

from dataclasses import dataclass

import factory
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
    name = name or str(Role(role).label)
    count = User.objects.count()
    user = User(
        username=f"{role.lower()}-{count}",
        tenant_id=current_tenant_id(),
        email=f"{role.lower()}{count}@example.com",
    )
    user.set_password(PASSWORD)
    user.save()
    staff = Staff.objects.create(user=user, name=name, role=role, email=user.email)
    for branch in branches:
        StaffBranch.objects.create(staff=staff, branch=branch)
    return staff


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
        region, other = RegionFactory(), RegionFactory()
        north = BranchFactory(region=region, name="North")
        south = BranchFactory(region=region, name="South")
        west = BranchFactory(region=other, name="West")
        return Chain(
            tenant=made,
            north=north,
            south=south,
            west=west,
            receptionist=make_staff(Role.RECEPTIONIST, north),
            manager=make_staff(Role.BRANCH_MANAGER, north),
            regional=make_staff(Role.REGIONAL_MANAGER, north, south),
            owner=make_staff(Role.SUPER_OWNER),
        )
