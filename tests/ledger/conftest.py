"""What tests of the ledger share."""

import pytest

from platform_resources.ledger.database import open_ledger
from tests.ledger.ledgers import new_database


@pytest.fixture
def postgres_ledger(postgres_server):
    """An empty ledger in a database of its own."""
    found = open_ledger(new_database(postgres_server))
    yield found
    found.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def either(request):
    """An empty ledger, once in SQLite and once in PostgreSQL."""
    return request.getfixturevalue("ledger" if request.param == "sqlite" else "postgres_ledger")
