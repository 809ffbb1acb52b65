"""Sweeps over every chain."""

import pytest

from marketing.core.models import Tenant
from marketing.core.sweeps import drain_each_chain, in_each_chain
from marketing.core.tenancy import current_tenant_id

pytestmark = pytest.mark.django_db


def make_tenant(**values):
    count = Tenant.objects.count()
    return Tenant.objects.create(name=f"Chain {count}", slug=f"chain-{count}", **values)


def test_a_fault_in_one_chain_keeps_no_other_waiting():
    chains = {make_tenant().pk for _ in range(3)}
    seen = []

    def work():
        seen.append(current_tenant_id())
        if len(seen) == 2:
            raise LookupError

    with pytest.raises(LookupError):
        in_each_chain(work)

    assert set(seen) == chains


def test_a_chain_is_drained_batch_after_batch():
    one, other = make_tenant(), make_tenant()
    left = {one.pk: 2, other.pk: 0}

    def batch():
        left[current_tenant_id()] -= 1
        return left[current_tenant_id()] >= 0

    drain_each_chain(batch)

    assert left == {one.pk: -1, other.pk: -1}


def test_one_chain_alone_can_be_asked():
    one, _other = make_tenant(), make_tenant()
    seen = []

    in_each_chain(lambda: seen.append(current_tenant_id()), only=str(one.pk))

    assert seen == [one.pk]


def test_a_chain_that_was_closed_is_left_alone():
    make_tenant(is_active=False)
    seen = []

    in_each_chain(lambda: seen.append(current_tenant_id()))

    assert seen == []
