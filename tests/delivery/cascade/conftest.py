import pytest

from tests.delivery.cascade.runs import prepare


@pytest.fixture
def ready(chain):
    prepare()
    return chain
