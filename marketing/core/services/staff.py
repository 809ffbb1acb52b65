"""The chain's people: who may log in, as what, and for which branches."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import Forbidden, ValidationFailed
from marketing.core.models import Branch, Role, Staff, StaffBranch, User
from marketing.core.tenancy import current_tenant_id

COLUMNS = ("name", "role", "email", "phone", "is_active")
OWN_COLUMNS = ("notify_by_email", "language")


@transaction.atomic
def create_staff(*, actor: Actor, values: Mapping[str, Any]) -> Staff:
    """Give a person a login, a role and branches.

    `values`: name, role, username, password; optionally email, phone, branch_ids. Raises
    `ValidationFailed` naming them: usernames are unique over all chains, passwords are
    checked, and whoever is no super owner needs a branch.
    """
    actor.require("config.change")
    user = User(
        username=values["username"], email=values.get("email", ""), tenant_id=current_tenant_id()
    )
    _set_password(user, values["password"])
    staff = Staff(user=user, **{name: values[name] for name in COLUMNS if name in values})
    _clean(staff, user)
    branch_ids = _branches(staff.role, values.get("branch_ids", ()))
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise _taken() from error
    staff.user = user  # its key is known only now
    staff.save()
    _put_in_branches(staff, branch_ids)
    audit.record(
        actor,
        "staff.create",
        staff,
        {"name": staff.name, "role": staff.role, "branch_ids": sorted(map(str, branch_ids))},
    )
    return staff


@transaction.atomic
def update_staff(*, actor: Actor, staff: Staff, values: Mapping[str, Any]) -> Staff:
    """Change a person's name, role, email, phone, branch_ids, is_active or password.

    Raises `ValidationFailed` when the chain would be left without a super owner, or when
    the actor would lock themselves out.
    """
    actor.require("config.change")
    list(Staff.objects.filter(role=Role.SUPER_OWNER).select_for_update().order_by("pk"))
    staff = Staff.objects.select_related("user").get(pk=staff.pk)
    own = {name: values[name] for name in COLUMNS if name in values}
    changes = audit.difference(staff, own)
    _keep_an_owner(actor, staff, own)
    for name, value in own.items():
        setattr(staff, name, value)
    user = staff.user
    user.email, user.is_active = staff.email, staff.is_active
    if values.get("password"):
        _set_password(user, values["password"])
        changes["password"] = ["…", "…"]
    _clean(staff, user)
    before = set(staff.branches.values_list("pk", flat=True))
    after = _branches(staff.role, values.get("branch_ids", before))
    user.save()
    staff.save()
    if after != before:
        _put_in_branches(staff, after)
        changes["branch_ids"] = [sorted(map(str, before)), sorted(map(str, after))]
    if changes:
        audit.record(actor, "staff.update", staff, changes)
    return staff


@transaction.atomic
def update_own(*, actor: Actor, values: Mapping[str, Any]) -> Staff:
    """Change what everybody decides for themselves: notify_by_email and language.

    Raises `ValidationFailed` for a language that Parlour does not speak.
    """
    if actor.staff is None:
        raise Forbidden()
    staff = Staff.objects.select_for_update().select_related("user").get(pk=actor.staff.pk)
    own = {name: values[name] for name in OWN_COLUMNS if name in values}
    changes = audit.difference(staff, own)
    for name, value in own.items():
        setattr(staff, name, value)
    _clean(staff, staff.user)
    staff.save(update_fields=OWN_COLUMNS)
    if changes:
        audit.record(actor, "staff.update", staff, changes)
    return staff


def _keep_an_owner(actor: Actor, staff: Staff, values: Mapping[str, Any]) -> None:
    stays = values.get("role", staff.role) == Role.SUPER_OWNER and values.get(
        "is_active", staff.is_active
    )
    if staff.role != Role.SUPER_OWNER or stays:
        return
    field = "is_active" if not values.get("is_active", True) else "role"
    if actor.staff is not None and actor.staff.pk == staff.pk:
        raise ValidationFailed(fields={field: [_("Ask another super owner to do this.")]})
    others = Staff.objects.filter(role=Role.SUPER_OWNER, is_active=True).exclude(pk=staff.pk)
    if not others.exists():
        raise ValidationFailed(fields={field: [_("The chain needs a super owner.")]})


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationFailed(fields={"password": error.messages}) from error
    user.set_password(password)


def _clean(staff: Staff, user: User) -> None:
    errors: dict[str, list[str]] = {}
    for record, left_out in ((user, {"password"}), (staff, {"user"})):
        try:
            record.full_clean(exclude=left_out)
        except ValidationError as error:
            errors |= error.message_dict
    if errors:
        raise ValidationFailed(fields=errors)


def _taken() -> ValidationFailed:
    return ValidationFailed(fields={"username": [_("This username is taken.")]})


def _branches(role: str, branch_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    wanted = set() if role == Role.SUPER_OWNER else set(branch_ids)
    known = set(Branch.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    if known != wanted:
        raise ValidationFailed(fields={"branch_ids": [_("There is no such branch.")]})
    if role != Role.SUPER_OWNER and not wanted:
        raise ValidationFailed(fields={"branch_ids": [_("Choose at least one branch.")]})
    return wanted


def _put_in_branches(staff: Staff, branch_ids: set[uuid.UUID]) -> None:
    StaffBranch.objects.filter(staff=staff).exclude(branch_id__in=branch_ids).delete()
    StaffBranch.objects.bulk_create(
        [StaffBranch(staff=staff, branch_id=branch_id) for branch_id in sorted(branch_ids)],
        ignore_conflicts=True,
    )
