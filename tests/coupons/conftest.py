import pytest

from tests.coupons.http import caller


@pytest.fixture
def api(login):
    """`api(staff, method, path, body, **headers)` answers with status and JSON."""
    return caller(login)
