"""Somebody who may be written to."""

import pytest

from tests.factories.customers import CustomerFactory
from tests.factories.delivery import open_window


@pytest.fixture
def asha(chain):
    open_window()
    return CustomerFactory(first_name="Asha", home_branch=chain.north)
