import pytest

from customers.models import Customer
from tests.factories.core import Chain
from tests.factories.customers import CustomerFactory
from tests.factories.referrals import make_programme


@pytest.fixture
def asha(chain: Chain) -> Customer:
    """Who brings friends."""
    make_programme()
    return CustomerFactory(
        first_name="Asha", last_name="Rao", phone="+919876500001", home_branch=chain.north
    )


@pytest.fixture
def bela(asha: Customer, chain: Chain) -> Customer:
    """Who has not been here yet."""
    return CustomerFactory(
        first_name="Bela", last_name="Sen", phone="+919876500002", home_branch=chain.north
    )
