"""The web server that receives what a rehearsal tells."""

import pytest

from tests.notify.receivers import web_server


@pytest.fixture
def web():
    with web_server() as server:
        yield server
