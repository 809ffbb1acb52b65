"""Staff and their logins: never without a super owner, never in another chain's branch."""

import pytest

from marketing.core import services
from marketing.core.errors import Forbidden, ValidationFailed
from marketing.core.models import AuditEntry, Role, Staff, User
from tests.factories.core import make_staff

ASHA = {
    "name": "Asha Rao",
    "role": Role.RECEPTIONIST,
    "username": "asha",
    "password": "a long enough phrase",
}


def test_a_person_gets_a_login_and_branches(chain):
    actor = chain.actor(chain.owner)
    asha = services.create_staff(actor=actor, values=ASHA | {"branch_ids": [chain.north.pk]})
    assert asha.user.check_password("a long enough phrase")
    assert asha.user.tenant_id == chain.tenant.pk
    assert not asha.user.is_superuser
    assert "phrase" not in str(AuditEntry.objects.get(action="staff.create").changes)


@pytest.mark.parametrize("staff", ["receptionist", "manager", "regional"])
def test_only_super_owners_manage_staff(chain, staff):
    actor, count = chain.actor(getattr(chain, staff)), User.objects.count()
    with pytest.raises(Forbidden):
        services.create_staff(actor=actor, values=ASHA | {"branch_ids": [chain.north.pk]})
    with pytest.raises(Forbidden):
        services.update_staff(actor=actor, staff=chain.manager, values={"role": Role.SUPER_OWNER})
    assert User.objects.count() == count
    chain.manager.refresh_from_db()
    assert chain.manager.role == Role.BRANCH_MANAGER


def test_another_chains_branch_is_refused(chain, other_chain):
    with pytest.raises(ValidationFailed) as refusal:
        services.create_staff(
            actor=chain.actor(chain.owner), values=ASHA | {"branch_ids": [other_chain.north.pk]}
        )
    assert list(refusal.value.fields) == ["branch_ids"]
    assert not User.objects.filter(username="asha").exists()


def test_another_chains_username_is_taken(chain, other_chain):
    taken = other_chain.manager.user.username
    with pytest.raises(ValidationFailed) as refusal:
        services.create_staff(
            actor=chain.actor(chain.owner),
            values=ASHA | {"username": taken, "branch_ids": [chain.north.pk]},
        )
    assert list(refusal.value.fields) == ["username"]


@pytest.mark.parametrize(
    ("values", "field"), [({"is_active": False}, "is_active"), ({"role": "Receptionist"}, "role")]
)
def test_owners_do_not_lock_themselves_out(chain, values, field):
    other = make_staff(Role.SUPER_OWNER, name="Second owner")
    with pytest.raises(ValidationFailed) as refusal:
        services.update_staff(actor=chain.actor(chain.owner), staff=chain.owner, values=values)
    assert list(refusal.value.fields) == [field]
    values = values | {"branch_ids": [chain.north.pk]}
    services.update_staff(actor=chain.actor(other), staff=chain.owner, values=values)
    with pytest.raises(ValidationFailed):
        services.update_staff(actor=chain.actor(chain.owner), staff=other, values=values)
    assert Staff.objects.filter(role=Role.SUPER_OWNER, is_active=True).get() == other


def test_a_new_password_is_checked_and_not_written_down(chain):
    actor = chain.actor(chain.owner)
    with pytest.raises(ValidationFailed):
        services.update_staff(actor=actor, staff=chain.manager, values={"password": "short"})
    values = {"password": "another long phrase"}
    services.update_staff(actor=actor, staff=chain.manager, values=values)
    assert User.objects.get(pk=chain.manager.user_id).check_password("another long phrase")
    assert AuditEntry.objects.get(action="staff.update").changes == {"password": ["…", "…"]}
