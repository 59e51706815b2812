"""What tests of sending share."""

import pytest

from tests.ledger.ledgers import SqliteLedgers


@pytest.fixture(scope="session")
def sqlite_ledgers(tmp_path_factory):
    return SqliteLedgers(tmp_path_factory.mktemp("ledgers"))


@pytest.fixture
def ledger(sqlite_ledgers):
    """An empty ledger in SQLite."""
    found = sqlite_ledgers.new()
    yield found
    found.close()
