"""What tests of whole refreshes share."""

import pytest

from tests.refresh.running import running


@pytest.fixture
def running_mesh(tiny):
    """A fresh mesh, nothing refreshed yet, with a Dagster instance of its own."""
    with running(tiny) as found:
        yield found
